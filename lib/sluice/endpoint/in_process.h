#pragma once

#include <memory>

#include "sluice/endpoint/endpoint.h"
#include "sluice/stream/filtered.h"

namespace sluice {

/// An endpoint that answers what is written to it with what a filter makes of it; a filter for each open.
std::unique_ptr<Endpoint> answering_endpoint(const Context& context, FilterFactory make);

}  // namespace sluice
