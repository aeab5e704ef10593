#pragma once

// Threads of the system and their locks. Where tenon's threads are modelled (test/model) they are the model's.

#if defined(TENON_MODEL)
#include "model/engine/os_thread.hpp"

namespace tenon {
using os_thread = model::os_thread;
using os_mutex = model::os_mutex;
}  // namespace tenon
#else
#include <mutex>
#include <thread>

namespace tenon {
using os_thread = std::thread;
using os_mutex = std::mutex;
}  // namespace tenon
#endif
