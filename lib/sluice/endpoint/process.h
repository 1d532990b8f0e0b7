#pragma once

// Boost.Process 1.81's second version with std::filesystem and separate compilation lacks these includes of
// its own; they must come before it. Everyone who uses it includes this header instead of its own ones.
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <boost/utility/string_view.hpp>

#include <boost/asio/detail/throw_error.hpp>
#include <boost/asio/io_context.hpp>

#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/error.hpp>
#include <boost/process/v2/exit_code.hpp>
#include <boost/process/v2/process.hpp>
