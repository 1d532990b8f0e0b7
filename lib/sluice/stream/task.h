#pragma once

#include <boost/asio/awaitable.hpp>

namespace sluice {

/// A coroutine that is awaited on a loop. It takes values, or references whose owner awaits it.
template <class Result = void>
using Task = boost::asio::awaitable<Result>;

}  // namespace sluice
