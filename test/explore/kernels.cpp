// Deadlocks of real programs, each in some orders only: `kernels NAME STRATEGY` looks for one, `kernels --list` prints the names.
//
// The bugs are those that GoBench collects (Yuan et al., "GoBench: A Benchmark Suite of Real-World Go Concurrency Bugs", CGO 2021); the programs
// are written anew from what went wrong. A goroutine that is left behind for ever is a deadlock here, since the root group waits for it.
// Where the original goes round until it is stopped, the program goes round a few times: a schedule has to end under a strategy that lets others
// wait, too. For the same reason no timer goes on where a deadlock is to be found: time alone would pass, for ever.
//
// long: one program for each bug

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/testing/explore.hpp>

#include "explore/kernel_names.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::group;
using tenon::make_chan;
using tenon::otherwise;
using tenon::recv;
using tenon::select;
using tenon::send;
using tenon::testing::strategy;
using tenon::testing::touch;

// cockroach#1055: what waits for the tasks to end comes before what tells them to, so a task that has started by then never ends.
void cockroach1055(group& g) {
  struct {
    tenon::mutex mu;
    std::atomic<bool> draining{false};
    tenon::wait_group tasks;
    tenon::chan<void> stopped = make_chan<void>();

    bool start_task() {
      touch(&draining);
      if (draining) return false;
      const std::lock_guard hold(mu);
      tasks.add();
      return true;
    }
    void drain() {
      touch(&draining);
      draining = true;
      tasks.wait();
    }
  } stopper;
  g.go([&] {
    const std::lock_guard hold(stopper.mu);
    stopper.drain();
    stopper.stopped.close();
  });
  g.go([&] {
    const bool started = stopper.start_task();
    stopper.stopped.recv();
    if (started) stopper.tasks.done();
  });
  (void)g.wait();
}

// cockroach#1462: the producer looks for the stop, and then sends without an eye on it; in between the stop has come, and the consumer has left.
void cockroach1462(group& g) {
  const auto stop = make_chan<void>();
  const auto events = make_chan<void>();
  g.go([=] {
    for (int i = 0; i < 3; ++i) {
      if (select(recv(stop), otherwise) == 0) return;
      events.send();
    }
  });
  g.go([=] {
    while (select(recv(events), recv(stop)) == 0) {
    }
  });
  stop.close();
  (void)g.wait();
}

// cockroach#2448: one sends an event unless a callback is there, the other answers each event with a callback: each waits for the other to receive.
void cockroach2448(group& g) {
  const auto events = make_chan<void>();
  const auto callbacks = make_chan<void>();
  g.go([=] {
    int called = 0;
    for (int sent = 0; sent < 2;) {
      if (select(recv(callbacks), otherwise) == 0) {
        ++called;
      } else {
        events.send();
        ++sent;
      }
    }
    for (; called < 2; ++called) callbacks.recv();
  });
  g.go([=] {
    for (int i = 0; i < 2; ++i) {
      events.recv();
      callbacks.send();
    }
  });
  (void)g.wait();
}

// cockroach#6181: to print the cache locks it for reading, within a lookup that has; another lookup goes on to write in between.
void cockroach6181(group& g) {
  tenon::shared_mutex cache;
  const auto print = [&] {
    cache.lock_shared();
    cache.unlock_shared();
  };
  for (int i = 0; i < 3; ++i) {
    g.go([&] {
      cache.lock_shared();
      print();
      cache.unlock_shared();
      cache.lock();
      cache.unlock();
    });
  }
  (void)g.wait();
}

// cockroach#7504: to acquire a lease locks the names and then the lease, to release it locks the lease and then the names.
void cockroach7504(group& g) {
  tenon::mutex table;
  tenon::mutex names;
  tenon::mutex lease;
  g.go([&] {
    const std::lock_guard by_name(names);
    const std::lock_guard use(lease);
  });
  g.go([&] {
    const std::lock_guard all(table);
    const std::lock_guard use(lease);
    const std::lock_guard forget(names);
  });
  (void)g.wait();
}

// cockroach#9935: where the log cannot create its file it exits, which locks the log once more.
void cockroach9935(group& g) {
  tenon::mutex log;
  const auto created = make_chan<void>(1);
  const auto disk_full = make_chan<void>(1);
  g.go([=] { created.send(); });
  g.go([=] { disk_full.send(); });
  g.go([&] {
    const std::lock_guard entry(log);
    if (select(recv(created), recv(disk_full)) == 1) {
      const std::lock_guard flush_and_exit(log);
    }
  });
  (void)g.wait();
}

// cockroach#10790: a canceled command leaves somebody behind to receive from its predecessors, which have been canceled as well and send no more.
void cockroach10790(group& g) {
  const auto scope = tenon::with_cancel(g.ctx());
  const auto done = scope.ctx().done();
  const std::array<tenon::chan<void>, 2> before = {make_chan<void>(), make_chan<void>()};
  g.go([=] {
    for (const auto& c : before) {
      if (select(send(c), recv(done)) == 1) return;
    }
  });
  g.go([=, &g] {
    for (const auto& c : before) {
      if (select(recv(c), recv(done)) == 0) continue;
      g.go([=] {
        for (const auto& left : before) left.recv();
      });
      return;
    }
  });
  g.go([&] { scope.cancel(); });
  (void)g.wait();
}

// cockroach#16167: a statement locks the configuration for reading by its condition's locker, and again by name; an update comes in between.
void cockroach16167(group& g) {
  tenon::shared_mutex config;
  g.go([&] { const std::lock_guard update(config); });
  g.go([&] {
    auto locker = config.shared_locker();
    const std::lock_guard statement(locker);
    config.lock_shared();
    config.unlock_shared();
  });
  (void)g.wait();
}

// cockroach#35073: a consumer that closes takes one row out of the full channel, for the one that may be blocked; two have seen it open.
void cockroach35073(group& g) {
  struct {
    std::atomic<bool> closed{false};
    tenon::chan<int> rows = make_chan<int>(1);

    void push(int row) {
      touch(&closed);
      if (!closed) rows.send(row);
    }
    void close() {
      touch(&closed);
      closed = true;
      (void)rows.try_recv();
    }
  } out;
  out.push(0);
  for (int i = 1; i <= 2; ++i) g.go([&out, i] { out.push(i); });
  g.go([&] { out.close(); });
  (void)g.wait();
}

// etcd#5509: who finds the client closed returns without the unlock; the close unlocks in its midst and locks again.
void etcd5509(group& g) {
  tenon::shared_mutex client;
  bool closed = false;
  g.go([&] {
    for (int i = 0; i < 3; ++i) {
      client.lock_shared();
      if (closed) return;
      client.unlock_shared();
    }
  });
  g.go([&] {
    client.lock();
    closed = true;
    client.unlock();
    client.lock();
    client.unlock();
  });
  (void)g.wait();
}

// etcd#6873: the stop waits, with the lock held, for the end of a loop whose last round needs the lock.
void etcd6873(group& g) {
  tenon::mutex mu;
  const auto updates = make_chan<int>(1);
  const auto done = make_chan<void>();
  g.go([&] {
    while (updates.recv()) {
      const std::lock_guard coalesce(mu);
    }
    done.close();
  });
  (void)updates.try_send(1);
  g.go([&] {
    const std::lock_guard hold(mu);
    updates.close();
    done.recv();
  });
  (void)g.wait();
}

// etcd#7492: a token is handed to its keeper with the tokens locked, and the channel is full; the keeper, at a tick, waits for the tokens.
void etcd7492(group& g) {
  tenon::mutex tokens;
  const auto added = make_chan<int>(1);
  const auto stop = make_chan<void>();
  g.go([&] {
    int kept = 0;
    for (int ticks = 0;;) {
      auto add = recv(added);
      auto tick = recv(ticks < 2 ? tenon::after(1ns) : tenon::recv_chan<tenon::time_point>());
      auto stopped = recv(stop);
      select(add, tick, stopped);
      if (stopped) return;
      if (add) ++kept;
      if (!tick) continue;
      ++ticks;
      for (; kept > 0; --kept) {
        const std::lock_guard expire(tokens);
      }
    }
  });
  tenon::wait_group users;
  for (int i = 0; i < 3; ++i) {
    users.go([&] {
      const std::lock_guard assign(tokens);
      added.send(1);
    });
  }
  users.wait();
  stop.close();
  (void)g.wait();
}

// etcd#7902: a follower waits for the leader's word with the lock that the leader needs to give it.
void etcd7902(group& g) {
  tenon::mutex mu;
  auto next = make_chan<void>();
  for (const bool leader : {true, false}) {
    g.go([&, leader] {
      mu.lock();
      const auto mine = next;
      mu.unlock();
      const std::lock_guard release(mu);
      if (leader) {
        next.close();
        next = make_chan<void>();
      }
      mine.recv();
    });
  }
  (void)g.wait();
}

// grpc#660: the loop is stopped while a call is on its way, whose result then has no receiver.
void grpc660(group& g) {
  const auto stop = make_chan<void>();
  g.go([=, &g] {
    for (int i = 0; i < 3; ++i) {
      const auto done = make_chan<void>();
      g.go([=] { done.send(); });
      if (select(recv(stop), recv(done)) == 0) return;
    }
    stop.recv();
  });
  g.go([=] {
    tenon::sleep_for(1us);
    stop.send();
  });
  (void)g.wait();
}

// grpc#3017: a connection is taken back from the cache when its timer has just fired; the timer's function sees that and returns without the unlock.
void grpc3017(group& g) {
  struct entry {
    bool taken_back = false;
    tenon::timer expiry;
  };
  tenon::mutex cache;
  std::vector<std::unique_ptr<entry>>
      entries;  // a timer waits for its function, so that none ends while the cache is locked
  g.go([&] {
    for (int i = 0; i < 2; ++i) {
      cache.lock();
      entry* const e = entries.emplace_back(std::make_unique<entry>()).get();
      e->expiry = tenon::timer(1ns, [&cache, e] {
        cache.lock();
        if (e->taken_back) return;
        cache.unlock();
      });
      cache.unlock();
      const std::lock_guard take_back(cache);
      if (!e->expiry.stop()) e->taken_back = true;
    }
  });
  (void)g.wait();
}

// hugo#3251: the lock of a URL is waited for with the table of such locks locked, which who has it needs to give it back.
void hugo3251(group& g) {
  tenon::shared_mutex table;
  tenon::mutex url;
  for (int i = 0; i < 2; ++i) {
    g.go([&] {
      for (int k = 0; k < 2; ++k) {
        table.lock();
        url.lock();
        table.unlock();
        table.lock_shared();
        url.unlock();
        table.unlock_shared();
        tenon::sleep_for(300ns);
      }
    });
  }
  (void)g.wait();
}

// istio#16224: the handler of an event reports it with the lock held; who receives that wants the lock first.
void istio16224(group& g) {
  tenon::mutex mu;
  const auto event = make_chan<void>();
  const auto handled = make_chan<void>();
  g.go([&] {
    event.recv();
    const std::lock_guard hold(mu);
    handled.send();
  });
  event.send();
  mu.lock();
  mu.unlock();
  handled.recv();
  (void)g.wait();
}

// istio#17860: the agent ends with the last proxy of the moment; the next one, which a restart has been waiting to start, reports its exit to nobody.
void istio17860(group& g) {
  tenon::mutex mu;
  int active = 0;
  const auto exits = make_chan<void>();
  const auto scope = tenon::with_cancel(g.ctx());
  g.go([&] {
    while (select(recv(exits), recv(scope.ctx().done())) == 0) {
      const std::lock_guard hold(mu);
      if (--active == 0) return;
    }
  });
  const auto restart = [&] {
    const std::lock_guard hold(mu);
    if (active > 0) {
      const auto given_up = tenon::after(100ns);
      while (select(recv(tenon::after(30ns)), recv(given_up)) == 0) {  // never live
      }
    }
    ++active;
    g.go([=] { exits.send(); });
  };
  restart();
  g.go(restart);
  tenon::sleep_for(1us);
  scope.cancel();
  (void)g.wait();
}

// kubernetes#1321: the distributor sends to its watchers with the lock held; a watcher that stops, and receives no more, wants the lock.
void kubernetes1321(group& g) {
  tenon::mutex mu;
  tenon::mutex list;
  bool watched = false;
  const auto result = make_chan<int>();
  g.go([&] {
    for (int i = 0; i < 2; ++i) {
      const std::lock_guard hold(mu);
      const std::lock_guard each(list);
      if (watched) result.send(i);
    }
  });
  list.lock();
  watched = true;
  list.unlock();
  mu.lock();
  watched = false;
  result.close();
  mu.unlock();
  (void)g.wait();
}

// kubernetes#10182: a status is sent with the lock held; the receiver of the one before wants the lock.
void kubernetes10182(group& g) {
  tenon::mutex mu;
  const auto statuses = make_chan<void>();
  g.go([&] {
    for (int i = 0; i < 2; ++i) {
      statuses.recv();
      const std::lock_guard remove(mu);
    }
  });
  for (int i = 0; i < 2; ++i) {
    g.go([&] {
      const std::lock_guard set(mu);
      statuses.send();
    });
  }
  (void)g.wait();
}

// kubernetes#11298: the loop hands its lock to somebody who waits for a signal, and when told to end signals him, who may not be waiting yet.
void kubernetes11298(group& g) {
  tenon::mutex mu;
  tenon::cond changed;
  const auto finished = make_chan<void>();
  g.go([&] {
    mu.lock();
    changed.signal();
    mu.unlock();
    finished.close();
  });
  mu.lock();
  const auto woken = make_chan<void>();
  g.go([&] {
    changed.wait(mu);
    woken.close();
  });
  if (select(recv(finished), recv(woken)) == 0) {
    changed.signal();
    woken.recv();
  }
  mu.unlock();
  (void)g.wait();
}

// kubernetes#25331: a watch cancels itself before it sends its last result, and its reader may leave for that.
void kubernetes25331(group& g) {
  const auto scope = tenon::with_cancel(g.ctx());
  const auto done = scope.ctx().done();
  const auto failed = make_chan<int>();
  const auto result = make_chan<int>();
  g.go([&] {
    auto failure = recv(failed);
    select(failure, recv(done));
    if (!failure) return;
    scope.cancel();
    result.send(*failure);
  });
  failed.send(1);
  select(recv(result), recv(done));
  scope.cancel();
  (void)g.wait();
}

// kubernetes#30872: whether all is in sync is asked of the queue with the informer locked; what is popped is handled, with the queue locked, by the
// informer.
void kubernetes30872(group& g) {
  tenon::mutex informer;
  tenon::mutex queue;
  const auto stop = make_chan<void>();
  g.go([&] {
    for (int i = 0; i < 2; ++i) {
      if (select(recv(stop), otherwise) == 0) return;
      const std::lock_guard pop(queue);
      const std::lock_guard add_cluster(informer);
    }
  });
  g.go([&] {
    const std::lock_guard reconcile(informer);
    const std::lock_guard is_synced(queue);
  });
  g.go([&] {
    const std::lock_guard end(informer);
    stop.close();
  });
  (void)g.wait();
}

// kubernetes#58107: a worker waits for its queue with a shared lock, a writer for that, and the worker that would fill the queue for the writer.
void kubernetes58107(group& g) {
  struct {
    tenon::mutex mu;
    tenon::cond not_empty;
    int items = 0;

    void put() {
      const std::lock_guard hold(mu);
      ++items;
      not_empty.signal();
    }
    void get() {
      std::unique_lock hold(mu);
      not_empty.wait(hold, [&] { return items > 0; });
      --items;
    }
  } missing, usual;
  tenon::shared_mutex workers;
  usual.put();
  g.go([&] {
    workers.lock_shared();
    missing.get();
    workers.unlock_shared();
  });
  g.go([&] {
    workers.lock_shared();
    usual.get();
    missing.put();
    workers.unlock_shared();
  });
  g.go([&] { const std::lock_guard sync(workers); });
  (void)g.wait();
}

// moby#4951: to remove a device gives the lock of all devices away for a while, and takes it back with the device's lock held: the wrong order.
void moby4951(group& g) {
  tenon::mutex devices;
  tenon::mutex device;
  for (int i = 0; i < 2; ++i) {
    g.go([&] {
      std::unique_lock all(devices);
      const std::lock_guard one(device);
      all.unlock();
      all.lock();
    });
  }
  (void)g.wait();
}

// moby#28462: who stops the monitor holds the container's lock, which the monitor, having found no stop, waits for.
void moby28462(group& g) {
  tenon::mutex container;
  const auto stop = make_chan<void>();
  g.go([&] {
    for (int i = 0; i < 3; ++i) {
      if (select(recv(stop), otherwise) == 0) return;
      const std::lock_guard probe(container);
    }
    stop.recv();
  });
  g.go([&] {
    const std::lock_guard hold(container);
    stop.send();
  });
  (void)g.wait();
}

// moby#33781: the monitor is stopped while a probe runs, whose result then has no receiver.
void moby33781(group& g) {
  const auto stop = make_chan<void>();
  g.go([=, &g] {
    for (int i = 0; i < 3; ++i) {
      if (select(recv(stop), recv(tenon::after(50ns))) == 0) return;
      const auto result = make_chan<void>();
      g.go([=] { result.send(); });
      const auto scope = tenon::with_timeout(g.ctx(), 50ns);
      const std::size_t which = select(recv(stop), recv(result), recv(scope.ctx().done()));
      if (which == 0) return;
      if (which == 2) result.recv();
    }
    stop.recv();
  });
  g.go([=] {
    tenon::sleep_for(50ns);
    stop.send();
  });
  (void)g.wait();
}

// serving#2137: requests are let to their ends in the order in which they were made, but the breaker may have admitted the second one first.
void serving2137(group& g) {
  struct request {
    tenon::mutex hold;
    tenon::chan<bool> accepted = make_chan<bool>(1);
  };
  const auto pending = make_chan<void>(2, "one for each request");
  const auto active = make_chan<void>(1);
  std::array<request, 2> requests;
  for (request& r : requests) {
    r.hold.lock();
    tenon::wait_group started;
    started.add();
    g.go([&] {
      started.done();
      if (select(send(pending), otherwise) == 1) {
        r.accepted.send(false);
        return;
      }
      active.send();
      r.hold.lock();
      r.hold.unlock();
      active.recv();
      pending.recv();
      r.accepted.send(true);
    });
    started.wait();
  }
  for (request& r : requests) {
    r.hold.unlock();
    (void)r.accepted.recv();
  }
  (void)g.wait();
}

struct kernel {
  std::string_view name;
  void (*program)(group&);
};
#define KERNEL(name) \
  kernel { #name, name }
constexpr kernel kernels[] = {
    KERNEL(cockroach1055),   KERNEL(cockroach1462),   KERNEL(cockroach2448),   KERNEL(cockroach6181),
    KERNEL(cockroach7504),   KERNEL(cockroach9935),   KERNEL(cockroach10790),  KERNEL(cockroach16167),
    KERNEL(cockroach35073),  KERNEL(etcd5509),        KERNEL(etcd6873),        KERNEL(etcd7492),
    KERNEL(etcd7902),        KERNEL(grpc660),         KERNEL(grpc3017),        KERNEL(hugo3251),
    KERNEL(istio16224),      KERNEL(istio17860),      KERNEL(kubernetes1321),  KERNEL(kubernetes10182),
    KERNEL(kubernetes11298), KERNEL(kubernetes25331), KERNEL(kubernetes30872), KERNEL(kubernetes58107),
    KERNEL(moby4951),        KERNEL(moby28462),       KERNEL(moby33781),       KERNEL(serving2137),
};
#undef KERNEL

constexpr bool all_have_their_names() {
  if (std::size(kernels) != std::size(tenon_test::kernel_names)) return false;
  for (std::size_t i = 0; i < std::size(kernels); ++i) {
    if (kernels[i].name != tenon_test::kernel_names[i]) return false;
  }
  return true;
}
static_assert(all_have_their_names(), "kernel_names.hpp lists other kernels than there are here");

int look_for(void (*program)(group&), strategy by) {
  const auto e = tenon::testing::explore(program, {.by = by, .schedules = 20'000, .time = 20s, .preemptions = 2});
  std::printf("not found after %zu schedules%s\n", e.schedules, e.all ? ", and there are no more" : "");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  const std::string by = argc > 2 ? argv[2] : "";
  if (name == "--list") {
    for (const char* const k : tenon_test::kernel_names) std::puts(k);
    return 0;
  }
  for (const kernel& k : kernels) {
    if (k.name != name) continue;
    for (const strategy s : {strategy::random, strategy::priorities, strategy::exhaustive}) {
      if (by == tenon_test::kernel_strategies[static_cast<int>(s)]) return look_for(k.program, s);
    }
  }
  std::fprintf(stderr, "kernels: no such case: %s %s\n", name.c_str(), by.c_str());
  return 64;
}
