// host PLUGIN: prints what the plugin's answer() returns.

#include <dlfcn.h>

#include <cstdio>

#if defined(HOST_RUNS_TENON)
#include <tenon/tenon.hpp>
#endif

int main(int, char** argv) {
#if defined(HOST_RUNS_TENON)
  tenon::run([] { tenon::go([] {}).join(); });
#endif
  void* plugin = dlopen(argv[1], RTLD_NOW);
  if (!plugin) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  auto* answer = reinterpret_cast<int (*)()>(dlsym(plugin, "answer"));
  std::printf("%d\n", answer());
}
