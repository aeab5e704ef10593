#pragma once

// Data that is no atomic: every access that the compiler reports (-fsanitize=thread, with the functions of race.cpp in place of
// ThreadSanitizer's) is compared with the others to the same bytes. Two that overlap, one of which writes, and of which neither happens before
// the other by what the execution's operations order (memory.hpp), are a race.

#include <cstdint>
#include <memory>

namespace tenon::model {

class access_table {
 public:
  access_table();
  access_table(const access_table&) = delete;
  access_table& operator=(const access_table&) = delete;

  void begin(std::uint32_t execution) noexcept { execution_ = execution; }
  enum class by : std::uint8_t { plain, atomic };
  /// By thread t, of `size` bytes. Two atomic ones are no race.
  void access(unsigned t, std::uintptr_t address, std::size_t size, bool writes, by how, const void* code) noexcept;
  /// What was there has ended, and what comes there next is something else.
  void forget(std::uintptr_t address, std::size_t size) noexcept;

 private:
  static constexpr unsigned word = 8;
  static constexpr unsigned most_records = 6;
  static constexpr std::size_t cells = std::size_t{1} << 16U;

  struct record {
    const void* code;
    std::uint16_t epoch;
    std::uint8_t thread;
    std::uint8_t mask;  // the bytes of the word
    bool writes;
    by how;
  };
  struct cell {
    std::uintptr_t address;
    std::uint32_t execution;
    std::uint32_t used;
    record records[most_records];
  };
  cell* find(std::uintptr_t word_address) noexcept;
  void access_word(unsigned t, std::uintptr_t word_address, std::uint8_t mask, bool writes, by how,
                   const void* code) noexcept;

  std::uint32_t execution_ = 0;
  cell* table_;
};

}  // namespace tenon::model
