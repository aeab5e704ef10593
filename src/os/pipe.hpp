#pragma once

// Streams from descriptors that are known to be ends of pipes, in non-blocking mode.

#include <tenon/os/pipe.hpp>

#include "os/descriptor.hpp"

namespace tenon::os::detail {

pipe_stream make_pipe_stream(descriptor d);

}  // namespace tenon::os::detail
