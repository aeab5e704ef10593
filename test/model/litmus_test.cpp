// The model itself: that it allows what each memory model allows, and nothing else; and that it finds what it is for.

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "model/engine/model.hpp"
#include "model/programs.hpp"

namespace model = tenon::model;
using model::memory_model;
constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;
using word = model::atomic<std::uint32_t>;

namespace {

model::result explored(memory_model m, const std::function<void()>& body) {
  model::options o;
  o.memory = m;
  model::result r = model::explore(o, body);
  EXPECT_TRUE(r.found || r.complete) << r.report;
  return r;
}
bool happens(memory_model m, const std::function<void()>& body) { return explored(m, body).found; }

constexpr auto interleaving = memory_model::interleaving;
constexpr auto tso = memory_model::tso;
constexpr auto c11 = memory_model::c11;

/// Each writes its own and reads the other's: "both read 0" is a failure.
std::function<void()> store_buffering(std::memory_order of_store, std::memory_order of_load) {
  return [=] {
    word x{0};
    word y{0};
    std::uint32_t seen = 1;
    model::thread other([&] {
      y.store(1, of_store);
      seen = x.load(of_load);
    });
    x.store(1, of_store);
    const std::uint32_t mine = y.load(of_load);
    other.join();
    MODEL_REQUIRE(mine != 0 || seen != 0);
  };
}

std::function<void()> message_passing(std::memory_order of_store, std::memory_order of_load) {
  return [=] {
    word data{0};
    word flag{0};
    model::thread other([&] {
      data.store(1, relaxed);
      flag.store(1, of_store);
    });
    const bool told = flag.load(of_load) != 0;
    const std::uint32_t got = data.load(relaxed);
    other.join();
    MODEL_REQUIRE(!told || got == 1);
  };
}

std::function<void()> independent_reads(std::memory_order of_store, std::memory_order of_load) {
  return [=] {
    word x{0};
    word y{0};
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    std::uint32_t d = 0;
    model::thread writes_x([&] { x.store(1, of_store); });
    model::thread writes_y([&] { y.store(1, of_store); });
    model::thread reads_x([&] {
      a = x.load(of_load);
      b = y.load(of_load);
    });
    c = y.load(of_load);
    d = x.load(of_load);
    writes_x.join();
    writes_y.join();
    reads_x.join();
    MODEL_REQUIRE(!(a == 1 && b == 0 && c == 1 && d == 0));
  };
}

}  // namespace

TEST(Litmus, StoreBufferingNeedsSequentialConsistency) {
  EXPECT_FALSE(happens(interleaving, store_buffering(relaxed, relaxed)));
  EXPECT_TRUE(happens(tso, store_buffering(release, acquire)));
  EXPECT_TRUE(happens(c11, store_buffering(release, acquire)));
  EXPECT_FALSE(happens(tso, store_buffering(seq_cst, seq_cst)));
  EXPECT_FALSE(happens(c11, store_buffering(seq_cst, seq_cst)));
  EXPECT_TRUE(happens(c11, store_buffering(seq_cst, acquire)));
  EXPECT_FALSE(happens(tso, store_buffering(seq_cst, relaxed))) << "x86 reads in order";
}

TEST(Litmus, MessagesNeedReleaseAndAcquire) {
  EXPECT_FALSE(happens(tso, message_passing(relaxed, relaxed)));
  EXPECT_TRUE(happens(c11, message_passing(relaxed, acquire)));
  EXPECT_TRUE(happens(c11, message_passing(release, relaxed)));
  EXPECT_FALSE(happens(c11, message_passing(release, acquire)));
}

TEST(Litmus, TwoReadersAgreeOnTwoWritersIfConsistent) {
  EXPECT_FALSE(happens(tso, independent_reads(release, acquire)));
  EXPECT_TRUE(happens(c11, independent_reads(release, acquire)));
  EXPECT_FALSE(happens(c11, independent_reads(seq_cst, seq_cst)));
}

TEST(Litmus, OneLocationIsReadInOrder) {
  for (const auto m : {tso, c11}) {
    EXPECT_FALSE(happens(m, [] {
      word x{0};
      model::thread other([&] {
        x.store(1, relaxed);
        x.store(2, relaxed);
      });
      const std::uint32_t first = x.load(relaxed);
      const std::uint32_t second = x.load(relaxed);
      other.join();
      MODEL_REQUIRE(first <= second);
      MODEL_REQUIRE(x.load(relaxed) == 2);
    }));
  }
}

TEST(Litmus, ValuesDoNotComeFromTheFuture) {
  EXPECT_FALSE(happens(c11, [] {
    word x{0};
    word y{0};
    std::uint32_t a = 0;
    model::thread other([&] {
      a = x.load(relaxed);
      y.store(1, relaxed);
    });
    const std::uint32_t b = y.load(relaxed);
    x.store(b, relaxed);
    other.join();
    MODEL_REQUIRE(a == 0 || b == 1);
  }));
}

TEST(Litmus, FencesOrderRelaxedOperations) {
  const auto with = [](std::memory_order of_writer, std::memory_order of_reader) {
    return [=] {
      word data{0};
      word flag{0};
      model::thread other([&] {
        data.store(1, relaxed);
        model::fence(of_writer);
        flag.store(1, relaxed);
      });
      const bool told = flag.load(relaxed) != 0;
      model::fence(of_reader);
      const std::uint32_t got = data.load(relaxed);
      other.join();
      MODEL_REQUIRE(!told || got == 1);
    };
  };
  EXPECT_FALSE(happens(c11, with(release, acquire)));
  EXPECT_TRUE(happens(c11, with(acquire, acquire)));
  EXPECT_TRUE(happens(c11, with(release, release)));

  const auto buffered = [](bool fences) {
    return [=] {
      word x{0};
      word y{0};
      std::uint32_t seen = 1;
      model::thread other([&] {
        y.store(1, relaxed);
        if (fences) model::fence(seq_cst);
        seen = x.load(relaxed);
      });
      x.store(1, relaxed);
      model::fence(seq_cst);
      const std::uint32_t mine = y.load(relaxed);
      other.join();
      MODEL_REQUIRE(mine != 0 || seen != 0);
    };
  };
  for (const auto m : {tso, c11}) {
    EXPECT_FALSE(happens(m, buffered(true)));
    EXPECT_TRUE(happens(m, buffered(false)));
  }
}

TEST(Litmus, AFenceEverywhereIsOneInTheOtherThreadToo) {
  for (const auto m : {tso, c11}) {
    EXPECT_FALSE(happens(m, [] {
      word x{0};
      word y{0};
      std::uint32_t seen = 1;
      model::thread other([&] {
        y.store(1, relaxed);  // and nothing between
        seen = x.load(relaxed);
      });
      x.store(1, relaxed);
      model::fence_everywhere();
      const std::uint32_t mine = y.load(relaxed);
      other.join();
      MODEL_REQUIRE(mine != 0 || seen != 0);
    }));
  }
}

TEST(Litmus, ReleaseSequencesGoThroughReadModifyWrites) {
  const auto with = [](bool by_store) {
    return [=] {
      int data = 0;
      word flag{0};
      model::thread first([&] {
        data = 1;
        flag.store(1, release);
      });
      model::thread second([&] {
        if (by_store) {
          if (flag.load(relaxed) == 1) flag.store(2, relaxed);
        } else {
          std::uint32_t one = 1;
          (void)flag.compare_exchange_strong(one, 2, relaxed, relaxed);
        }
      });
      if (flag.load(acquire) == 2) MODEL_REQUIRE(data == 1);
      first.join();
      second.join();
    };
  };
  EXPECT_FALSE(happens(c11, with(false)));
  const model::result r = explored(c11, with(true));
  EXPECT_TRUE(r.found);
  EXPECT_EQ(r.failure.rfind("a race: thread 0 reads at litmus_test.cpp:", 0), 0U) << r.report;
}

TEST(Litmus, ReadModifyWritesLoseNothing) {
  for (const auto m : {interleaving, tso, c11}) {
    EXPECT_FALSE(happens(m, [] {
      word n{0};
      model::thread other([&] { n.fetch_add(1, relaxed); });
      n.fetch_add(1, relaxed);
      other.join();
      MODEL_REQUIRE(n.load(relaxed) == 2);
    }));
    EXPECT_TRUE(happens(m, [] {
      word n{0};
      model::thread other([&] { n.store(n.load(relaxed) + 1, relaxed); });
      n.store(n.load(relaxed) + 1, relaxed);
      other.join();
      MODEL_REQUIRE(n.load(relaxed) == 2);
    }));
  }
}

TEST(Model, APlainVariableWithoutAnOrderIsARace) {
  const auto with = [](std::memory_order o) {
    return [=] {
      int data = 0;
      word ready{0};
      model::thread other([&] {
        data = 1;
        ready.store(1, o);
      });
      while (ready.load(o == release ? acquire : relaxed) == 0) model::pause();
      model::look_at(data);
      other.join();
    };
  };
  EXPECT_FALSE(happens(c11, with(release)));
  EXPECT_TRUE(happens(c11, with(relaxed)));
}

TEST(Model, AtomicsThatAreNotModelledOrder) {
  struct read_at_its_end {
    int value = 0;
    ~read_at_its_end() { model::look_at(value); }
  };
  EXPECT_FALSE(happens(c11, [] {
    auto shared = std::make_shared<read_at_its_end>();
    model::thread writes([shared] { shared->value = 1; });  // and lets go
    model::thread lets_go([shared = std::move(shared)]() mutable { const auto gone = std::move(shared); });
  }));
}

TEST(Model, ALostWakeUpIsFound) {
  const auto with = [](bool looks) {
    return [=] {
      word go{0};
      model::thread other([&] {
        if (looks) {
          go.store(1, release);
        }
        model::futex_wake(go.self(), false);
      });
      if (!looks || go.load(acquire) == 0) model::futex_wait(go.self(), 0, -1);
      other.join();
    };
  };
  for (const auto m : {interleaving, tso, c11}) EXPECT_FALSE(happens(m, with(true)));
  const model::result r = explored(c11, with(false));
  EXPECT_EQ(r.failure, "everybody sleeps: a wake-up was lost, or nobody was to give it") << r.report;
}

TEST(Model, AThreadThatSpinsInVainIsFound) {
  const model::result r = explored(c11, [] {
    word never{0};
    model::thread other([&] { never.store(0, release); });
    while (never.load(acquire) == 0) model::pause();
  });
  EXPECT_EQ(r.failure, "a thread spins, and no other can do anything about it");
}

TEST(Model, AnAtomicThatIsGoneIsNotUsed) {
  const model::result r = explored(c11, [] {
    auto* x = new word(0);
    model::thread other([x] { x->store(1, release); });
    if (x->load(acquire) == 0) (void)x->load(acquire);
    delete x;
    other.join();
  });
  EXPECT_EQ(r.failure, "an atomic is used after its end") << r.report;
}

TEST(Model, AnAtomicEndsAfterAllUsesOfIt) {
  const auto with = [](std::memory_order of_leaver, std::memory_order of_last) {
    return [=] {
      auto users = std::make_unique<word>(2);
      const auto leave = [&, its = users.get()] {
        if (its->fetch_sub(1, of_leaver) == 1) {
          (void)its->load(of_last);
          users.reset();
        }
      };
      model::thread other(leave);
      leave();
      other.join();
    };
  };
  using enum std::memory_order;
  EXPECT_FALSE(happens(c11, with(release, acquire)));
  EXPECT_TRUE(happens(c11, with(release, relaxed)));
  EXPECT_TRUE(happens(c11, with(relaxed, acquire)));
}

TEST(Model, ItsReportIsRepeatedByItsDecisions) {
  const auto body = store_buffering(relaxed, relaxed);
  const model::result r = explored(c11, body);
  ASSERT_TRUE(r.found);
  model::options again;
  again.replay = r.replay;
  const model::result repeated = model::explore(again, body);
  EXPECT_EQ(repeated.failure, r.failure) << repeated.report;
  EXPECT_NE(r.report.find("thread 1  store"), std::string::npos) << r.report;
  model::options weak;
  weak.replay = "-";
  EXPECT_FALSE(model::explore(weak, body).found);
}

TEST(Model, RandomDecisionsFindItToo) {
  model::options o;
  o.random = 2'000;
  EXPECT_TRUE(model::explore(o, store_buffering(relaxed, relaxed)).found);
  o.memory = tso;
  EXPECT_TRUE(model::explore(o, store_buffering(relaxed, relaxed)).found);
  EXPECT_FALSE(model::explore(o, store_buffering(seq_cst, seq_cst)).found);
}

TEST(Model, AWeakenedPlaceIsNoticed) {
  const auto body = [] {
    int data = 0;
    word ready{0};
    model::thread other([&] {
      data = 1;
      ready.store(1, release);  // the place
    });
    if (ready.load(acquire) != 0) MODEL_REQUIRE(data == 1);
    other.join();
  };
  constexpr unsigned place = __LINE__ - 5;
  model::options o;
  EXPECT_FALSE(model::explore(o, body).found);
  o.weaken = "litmus_test.cpp:" + std::to_string(place);
  EXPECT_TRUE(model::explore(o, body).found);
}
