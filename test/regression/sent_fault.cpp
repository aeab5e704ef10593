// A signal that stands for a fault is sent, not caused: `sent_fault <how> <signal>`.

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <tenon/tenon.hpp>

namespace {

void say_so(int) {
  static constexpr char text[] = "handled\n";
  (void)!::write(STDOUT_FILENO, text, sizeof text - 1);
}

/// Faults itself.
void fault_again(int) {
  say_so(0);
  // Not null, which a sanitizer would see before the processor does.
  *static_cast<volatile int*>(::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) = 1;
}

void send(const char* how, int sig) {
  if (std::strcmp(how, "kill") == 0) {
    ::kill(::getpid(), sig);
    tenon::sleep_for(std::chrono::hours(1));  // another thread may take it
  } else if (std::strcmp(how, "queue") == 0) {
    ::sigqueue(::getpid(), sig, {.sival_int = 7});
    tenon::sleep_for(std::chrono::hours(1));
  } else {
    std::raise(sig);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const char* how = argv[1];
  const int sig = std::strcmp(argv[2], "bus") == 0 ? SIGBUS : SIGSEGV;
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  if (std::strcmp(how, "ignored") == 0) action.sa_handler = SIG_IGN;
  if (std::strcmp(how, "handled") == 0 || std::strcmp(how, "handled_once") == 0) action.sa_handler = &say_so;
  if (std::strcmp(how, "faults_again") == 0) action.sa_handler = &fault_again;
  if (std::strcmp(how, "handled_once") == 0) action.sa_flags = static_cast<int>(SA_RESETHAND);
  if (action.sa_handler != SIG_DFL) ::sigaction(sig, &action, nullptr);  // otherwise as it was: a sanitizer has one
  tenon::run([&] {
    if (std::strcmp(how, "thread") == 0) {
      std::thread([&] { std::raise(sig); }).join();
    } else {
      send(how, sig);
    }
    std::puts("went on");
    if (std::strcmp(how, "handled_once") == 0) std::raise(sig);
  });
  std::puts("returned");
}
