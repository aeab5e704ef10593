// Prints how many workers it was given: `workers [options.workers]`.

#include <cstdio>
#include <cstdlib>

#include <tenon/tenon.hpp>

int main(int argc, char** argv) {
  tenon::run_options options;
  if (argc > 1) options.workers = static_cast<unsigned>(std::atoi(argv[1]));
  const unsigned n = tenon::run([](tenon::context) { return tenon::worker_count(); }, options);
  std::printf("%u\n", n);
  return 0;
}
