// Boost.Process and the Asio that it needs, compiled once (BOOST_PROCESS_V2_SEPARATE_COMPILATION).
#include "sluice/endpoint/process.h"

#include <boost/asio/impl/src.hpp>

#include <boost/process/v2/src.hpp>
