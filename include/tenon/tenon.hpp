#pragma once

/// All of tenon.

#include <tenon/blocking.hpp>
#include <tenon/chan.hpp>
#include <tenon/checked_map.hpp>
#include <tenon/concurrent_map.hpp>
#include <tenon/cond.hpp>
#include <tenon/context.hpp>
#include <tenon/error.hpp>
#include <tenon/fd.hpp>
#include <tenon/go.hpp>
#include <tenon/group.hpp>
#include <tenon/guarded.hpp>
#include <tenon/last_error.hpp>
#include <tenon/mutex.hpp>
#include <tenon/on_this_thread.hpp>
#include <tenon/once.hpp>
#include <tenon/panic.hpp>
#include <tenon/pipeline.hpp>
#include <tenon/pool.hpp>
#include <tenon/promise.hpp>
#include <tenon/rate_limiter.hpp>
#include <tenon/result.hpp>
#include <tenon/run.hpp>
#include <tenon/select.hpp>
#include <tenon/semaphore.hpp>
#include <tenon/sender.hpp>
#include <tenon/shared_mutex.hpp>
#include <tenon/singleflight.hpp>
#include <tenon/sleep_for.hpp>
#include <tenon/timer.hpp>
#include <tenon/wait_group.hpp>
#include <tenon/with_signals.hpp>
#include <tenon/within.hpp>
#include <tenon/yield.hpp>
