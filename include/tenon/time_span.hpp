#pragma once

/// `time_span`: how long, as the functions of tenon take it: made from any duration of `std::chrono`, of integers or of fractions.
///
/// Go counterpart: `time.Duration`.
///
///     tn::sleep_for(20ms);
///     const auto scope = tn::with_timeout(ctx, std::chrono::hours::max());  // for ever
///
/// `std::chrono` itself converts without a look: in nanoseconds `hours::max()` is one hour ago. Here what is longer than nanoseconds can say, 292 years, is
/// the longest that they can, and likewise what lies back. A fraction is rounded to the nearest nanosecond; what a smaller unit counts beyond the last
/// whole one is dropped; a value that is no number is 0. It is a `std::chrono::nanoseconds`, and reckons as one. Nothing here blocks or throws. As
/// thread-safe as an `int`.

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace tenon {

class time_span : public std::chrono::nanoseconds {
  using nanoseconds = std::chrono::nanoseconds;

 public:
  constexpr time_span() noexcept : nanoseconds(0) {}
  template <class Rep, class Period>
  constexpr time_span(std::chrono::duration<Rep, Period> d) noexcept : nanoseconds(saturated(d)) {}  // NOLINT: implicit

  static constexpr time_span max() noexcept { return nanoseconds::max(); }

 private:
  template <class Rep, class Period>
  static constexpr nanoseconds saturated(std::chrono::duration<Rep, Period> d) noexcept {
    if constexpr (std::is_same_v<decltype(d), nanoseconds>) {
      return d;
    } else {
      using ns = std::ratio_divide<Period, std::nano>;
      constexpr auto most = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
      const long double exact = static_cast<long double>(d.count()) * ns::num / ns::den;
      if (!(exact == exact)) return nanoseconds::zero();
      if (exact >= most) return nanoseconds::max();
      if (exact <= -most) return nanoseconds::min();
      if constexpr (std::is_integral_v<Rep>) {
        // Between the two the product may be longer than 64 bits, and a long double may not have all of its digits.
        __extension__ using wide = __int128;
        return nanoseconds(static_cast<std::int64_t>(static_cast<wide>(d.count()) * ns::num / ns::den));
      } else {
        const long double nearest = exact + (exact < 0 ? -0.5L : 0.5L);
        if (nearest >= most) return nanoseconds::max();
        if (nearest <= -most) return nanoseconds::min();
        return nanoseconds(static_cast<std::int64_t>(nearest));
      }
    }
  }
};

}  // namespace tenon
