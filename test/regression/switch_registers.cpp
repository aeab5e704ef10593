// Values that stay in registers over a switch, while the other side overwrites every register there is. Compiled with the widest vector
// registers of the processor's family, whatever the rest of the program is compiled with. Prints "kept", or which was not; ends with
// status 77 where the processor has no such registers.

#if defined(__x86_64__)
#if !defined(__clang__)
#pragma GCC target("avx512f,avx512bw")
#endif
#include <immintrin.h>
#if !defined(__AVX512F__)
#define __AVX512F__ 1  // g++ 12 has read the whole file when the pragma takes effect
#endif
#elif defined(__aarch64__)
#include <sys/auxv.h>
#if !defined(__clang__)
#pragma GCC target("+sve")
#endif
#endif

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/context_switch.hpp"

namespace {

tenon::machine_context mine;
tenon::machine_context other;
alignas(64) std::byte stack[64 * 1024];

#if defined(__x86_64__) && !defined(__clang__)

void overwrite() {
  asm volatile(
      "vpternlogd $255, %%zmm16, %%zmm16, %%zmm16\n\tvpternlogd $255, %%zmm17, %%zmm17, %%zmm17\n\t"
      "vpternlogd $255, %%zmm18, %%zmm18, %%zmm18\n\tvpternlogd $255, %%zmm19, %%zmm19, %%zmm19\n\t"
      "vpternlogd $255, %%zmm20, %%zmm20, %%zmm20\n\tvpternlogd $255, %%zmm21, %%zmm21, %%zmm21\n\t"
      "vpternlogd $255, %%zmm22, %%zmm22, %%zmm22\n\tvpternlogd $255, %%zmm23, %%zmm23, %%zmm23\n\t"
      "vpternlogd $255, %%zmm24, %%zmm24, %%zmm24\n\tvpternlogd $255, %%zmm25, %%zmm25, %%zmm25\n\t"
      "vpternlogd $255, %%zmm26, %%zmm26, %%zmm26\n\tvpternlogd $255, %%zmm27, %%zmm27, %%zmm27\n\t"
      "vpternlogd $255, %%zmm28, %%zmm28, %%zmm28\n\tvpternlogd $255, %%zmm29, %%zmm29, %%zmm29\n\t"
      "vpternlogd $255, %%zmm30, %%zmm30, %%zmm30\n\tvpternlogd $255, %%zmm31, %%zmm31, %%zmm31\n\t"
      "kxnorw %%k1, %%k1, %%k1\n\tkxnorw %%k2, %%k2, %%k2\n\tkxnorw %%k3, %%k3, %%k3\n\tkxnorw %%k4, %%k4, %%k4\n\t"
      "kxnorw %%k5, %%k5, %%k5\n\tkxnorw %%k6, %%k6, %%k6\n\tkxnorw %%k7, %%k7, %%k7" ::
          : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
            "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7");
}

/// Values and masks, with a switch between their making and their use or without.
template <bool Switches>
[[gnu::noinline]] void use(const int* from, int* to) {
  __m512i v[24];
  __mmask16 k[6];
#pragma GCC unroll 24
  for (int i = 0; i < 24; ++i) v[i] = _mm512_loadu_si512(from + 16 * i);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) k[i] = _mm512_cmpgt_epi32_mask(v[i], v[i + 6]);
  if (Switches) tenon::switch_context(&mine, &other);
#pragma GCC unroll 24
  for (int i = 0; i < 24; ++i) _mm512_storeu_si512(to + 16 * i, v[i]);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) _mm512_mask_storeu_epi32(to + 16 * (24 + i), k[i], v[i]);
}

bool supported() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }

#elif defined(__aarch64__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpedantic"
}  // namespace
#include <arm_sve.h>
namespace {

void overwrite() {
  asm volatile(
      "mov z8.b, #-1\n\tmov z9.b, #-1\n\tmov z16.b, #-1\n\tmov z17.b, #-1\n\tmov z24.b, #-1\n\tmov z31.b, #-1\n\t"
      "ptrue p0.b\n\tptrue p1.b\n\tptrue p2.b\n\tptrue p3.b\n\tptrue p4.b\n\tptrue p5.b\n\tptrue p6.b\n\tptrue p7.b" ::
          : "z8", "z9", "z16", "z17", "z24", "z31", "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7");
}

template <bool Switches>
[[gnu::noinline]] void use(const int* from, int* to) {
  const svbool_t all = svwhilelt_b32(0, 4);
  const svint32_t a = svld1(all, from);
  const svint32_t b = svld1(all, from + 16);
  const svbool_t p = svcmpgt(all, a, b);
  const svbool_t q = svcmplt(all, a, b);
  if (Switches) tenon::switch_context(&mine, &other);
  svst1(p, to, a);
  svst1(q, to, b);
}

bool supported() { return (::getauxval(AT_HWCAP) & HWCAP_SVE) != 0; }

#else

void overwrite() {}
template <bool Switches>
void use(const int*, int*) {}
bool supported() { return false; }  // clang has no pragma that sets the macros; it names the registers in any case

#endif

void entry(tenon::machine_context* c) noexcept {
  tenon::context_entered(*c);
  for (;;) {
    overwrite();
    tenon::switch_context(&other, &mine);
  }
}

}  // namespace

int main() {
  if (!supported()) return 77;
  tenon::adopt_thread_stack(mine);
  tenon::prepare_context(other, stack, stack + sizeof stack, &entry);
  static int from[16 * 24];
  static int without[16 * 30];
  static int with[16 * 30];
  for (int i = 0; i < 16 * 24; ++i) from[i] = i * 7919 % 1009;
  use<false>(from, without);
  use<true>(from, with);
  for (int i = 0; i < 16 * 30; ++i) {
    if (with[i] == without[i]) continue;
    std::printf("value %d is %d, not %d\n", i, with[i], without[i]);
    return 1;
  }
  std::puts("kept");
}
