// How many workers there are by default: what the affinity mask and the cgroup's quota leave.

#include <sched.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <thread>

#include "platform/cpu.hpp"

namespace {

namespace fs = std::filesystem;

struct file {
  const char* path;
  const char* text;
};

/// Files of a made-up machine, for as long as it lives.
class machine {
 public:
  explicit machine(std::initializer_list<file> files) {
    std::string name = (fs::temp_directory_path() / "tenon-cpu-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    for (const auto& [path, text] : files) {
      fs::create_directories((root_ / path).parent_path());
      std::ofstream(root_ / path) << text;
    }
  }
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  ~machine() { fs::remove_all(root_); }

  [[nodiscard]] unsigned cpus() const { return tenon::available_cpus(root_.c_str()); }

 private:
  fs::path root_;
};

/// As the mask alone leaves.
unsigned unlimited() { return machine({}).cpus(); }

/// At most what the mask leaves, on whatever machine the test runs.
unsigned at_most(unsigned n) { return std::min(n, unlimited()); }

TEST(AvailableCpus, AreWhatTheQuotaLeaves) {
  EXPECT_EQ(machine({{"proc/self/cgroup", "0::/app\n"}, {"sys/fs/cgroup/app/cpu.max", "100000 100000\n"}}).cpus(), 1U);
  EXPECT_EQ(machine({{"proc/self/cgroup", "0::/app\n"}, {"sys/fs/cgroup/app/cpu.max", "1000 100000\n"}}).cpus(), 1U);
  EXPECT_EQ(machine({{"proc/self/cgroup", "0::/app\n"}, {"sys/fs/cgroup/app/cpu.max", "110000 100000\n"}}).cpus(),
            at_most(2));
}

TEST(AvailableCpus, AreWhatTheQuotaOfAGroupAboveLeaves) {
  EXPECT_EQ(machine({{"proc/self/cgroup", "0::/app/part\n"},
                     {"sys/fs/cgroup/app/part/cpu.max", "max 100000\n"},
                     {"sys/fs/cgroup/app/cpu.max", "50000 100000\n"}})
                .cpus(),
            1U);
}

TEST(AvailableCpus, AreWhatTheQuotaOfTheFirstVersionLeaves) {
  EXPECT_EQ(machine({{"proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/app\n"},
                     {"sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "100000\n"},
                     {"sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n"}})
                .cpus(),
            1U);
}

TEST(AvailableCpus, AreAllWithoutAQuota) {
  EXPECT_EQ(machine({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "max 100000\n"}}).cpus(), unlimited());
  EXPECT_EQ(machine({{"proc/self/cgroup", "4:cpu:/\n"},
                     {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
                     {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}})
                .cpus(),
            unlimited());
  EXPECT_EQ(machine({file{"proc/self/cgroup", "nothing of use\n"}}).cpus(), unlimited());
}

TEST(AvailableCpus, AreWhatTheMaskLeaves) {
  std::thread([] {
    cpu_set_t all;
    ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
    int first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(unlimited(), 1U);
  }).join();
}

}  // namespace
