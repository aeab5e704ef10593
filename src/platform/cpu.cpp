#include "platform/cpu.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "platform/compiler.hpp"

namespace tenon {

namespace {

unsigned affinity_cpus() noexcept {
  // A fixed cpu_set_t is too small for machines with more than 1024 CPUs: grow until the kernel is content.
  for (std::size_t cpus = 1024; cpus <= 1U << 20U; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, set);
    const int rc = ::sched_getaffinity(0, size, set);
    const int n = rc == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (n > 0) return static_cast<unsigned>(n);
  }
  const long n = ::sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? static_cast<unsigned>(n) : 1U;
}

/// Quota divided by period, or 0 for none. A limit can stand at any level above the process's own group.
double cgroup_quota(const std::string& root) {
  double least = 0;
  const auto consider = [&](double cpus) {
    if (cpus > 0 && (least == 0 || cpus < least)) least = cpus;
  };
  const auto climb = [&](const std::string& mount, std::string path, auto read) {
    for (;;) {
      read(root + mount + path);
      if (path.empty() || path == "/") break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  };
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      climb("/sys/fs/cgroup", path, [&](const std::string& dir) {
        std::ifstream file(dir + "/cpu.max");
        std::string quota;
        double period = 0;
        if (file >> quota >> period && quota != "max" && period > 0) consider(std::atof(quota.c_str()) / period);
      });
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
        climb(mount, path, [&](const std::string& dir) {
          std::ifstream quota_file(dir + "/cpu.cfs_quota_us");
          std::ifstream period_file(dir + "/cpu.cfs_period_us");
          double quota = 0;
          double period = 0;
          if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) consider(quota / period);
        });
      }
    }
  }
  return least;
}

}  // namespace

unsigned available_cpus(const char* root) noexcept {
  unsigned cpus = affinity_cpus();
  try {
    const double quota = cgroup_quota(root);
    if (quota > 0) cpus = std::min(cpus, static_cast<unsigned>(std::ceil(quota)));
  } catch (...) {  // NOLINT: out of memory while reading /proc; the mask alone is a good answer
  }
  return std::max(cpus, 1U);
}

unsigned process_threads() noexcept {
  // One number that the kernel keeps. Counting the entries of /proc/self/task misses some when a thread ends meanwhile.
  const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[4096];
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* at = std::strstr(text, "\nThreads:");
  const unsigned long n = at == nullptr ? 0 : std::strtoul(at + std::strlen("\nThreads:"), nullptr, 10);
  return static_cast<unsigned>(under_tsan && n > 1 ? n - 1 : n);
}

std::int64_t thread_cpu_time(pid_t tid) noexcept {
  // As pthread_getcpuclockid makes it, which wants a pthread_t: one of a thread that has ended must not be used.
  constexpr unsigned of_a_thread = 4;
  constexpr unsigned as_scheduled = 2;
  const auto id = static_cast<clockid_t>(~static_cast<unsigned>(tid) << 3U | of_a_thread | as_scheduled);
  timespec t{};
  if (tid == 0 || ::clock_gettime(id, &t) != 0) return 0;
  return std::int64_t{1'000'000'000} * t.tv_sec + t.tv_nsec;
}

void name_this_thread(const char* name) noexcept { ::pthread_setname_np(::pthread_self(), name); }

void never_cancel_this_thread() noexcept {
  int before = 0;
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);  // which the calls need not ask for any more
}

}  // namespace tenon
