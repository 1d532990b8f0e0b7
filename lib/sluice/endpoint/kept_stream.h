#pragma once

#include <memory>

#include "sluice/endpoint/endpoint.h"

namespace sluice {

/// Another stream of the descriptors of one that is kept open, for one session of many: what it reads the
/// others do not get, as with programs that share a descriptor (fork(2)). Its end tells and takes nothing:
/// the far side hears of the end when the kept one closes. nullptr where sharing is not possible: messages,
/// and what has no descriptors. `kept` must outlive it.
std::unique_ptr<Stream> share(const Stream& kept, const Context& context);

}  // namespace sluice
