// Boost.Process, compiled once (BOOST_PROCESS_V2_SEPARATE_COMPILATION).
#include "sluice/endpoint/process.h"

#include <boost/process/v2/src.hpp>
