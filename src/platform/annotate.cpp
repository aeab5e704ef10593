#include "platform/annotate.hpp"

#if defined(TENON_TSAN)

#include <link.h>

#include <cstddef>

extern "C" void AnnotateBenignRaceSized(const char* file, int line, const volatile void* at, std::size_t size,
                                        const char* description);

namespace tenon::annotate {

void own_thread_locals() noexcept {
  // Every module's block of this thread; those of modules loaded later are missed.
  ::dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void*) {
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const auto& segment = module->dlpi_phdr[i];
          if (segment.p_type != PT_TLS || module->dlpi_tls_data == nullptr) continue;
          AnnotateBenignRaceSized(__FILE__, __LINE__, module->dlpi_tls_data, segment.p_memsz, "thread-local variables");
        }
        return 0;
      },
      nullptr);
}

}  // namespace tenon::annotate

#endif
