#include "diag/line_table.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

// The format is in chapter 6.2 of the DWARF 5 standard; the names here are the standard's.

namespace tenon::diag {

namespace {

using bytes = std::span<const std::byte>;

/// Reads one value after the other. At the end, or where something makes no sense, it has failed: everything is 0 from
/// there on.
class reader {
 public:
  explicit reader(bytes data) : data_(data) {}

  template <class T>
  T fixed() {
    T v{};
    if (data_.size() < sizeof(T)) {
      fail();
    } else {
      std::memcpy(&v, data_.data(), sizeof(T));
      data_ = data_.subspan(sizeof(T));
    }
    return v;
  }
  std::uint64_t offset(bool is_64) { return is_64 ? fixed<std::uint64_t>() : fixed<std::uint32_t>(); }
  std::uint64_t uleb() {
    std::uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto b = fixed<std::uint8_t>();
      if (shift < 64) v |= std::uint64_t{b & 0x7FU} << shift;
      if ((b & 0x80U) == 0) return v;
    }
  }
  std::int64_t sleb() {
    std::uint64_t v = 0;
    for (unsigned shift = 0;;) {
      const auto b = fixed<std::uint8_t>();
      if (shift < 64) v |= std::uint64_t{b & 0x7FU} << shift;
      shift += 7;
      if ((b & 0x80U) != 0) continue;
      if (shift < 64 && (b & 0x40U) != 0) v |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(v);
    }
  }
  std::string_view string() {
    const auto* text = reinterpret_cast<const char*>(data_.data());
    const std::size_t length = ::strnlen(text, data_.size());
    if (length == data_.size()) {
      fail();
      return {};
    }
    data_ = data_.subspan(length + 1);
    return {text, length};
  }
  /// The next n bytes, which are read by another reader.
  bytes take(std::uint64_t n) {
    if (n > data_.size()) {
      fail();
      return {};
    }
    const bytes taken = data_.first(n);
    data_ = data_.subspan(n);
    return taken;
  }
  void fail() {
    failed_ = true;
    data_ = {};
  }
  [[nodiscard]] std::size_t left() const { return data_.size(); }
  [[nodiscard]] bool at_end() const { return data_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bytes data_;
  bool failed_ = false;
};

struct file_entry {
  std::string_view name;
  std::uint64_t folder = 0;
};

struct string_sections {
  bytes line_strings;
  bytes strings;
};

std::string_view string_at(bytes section, std::uint64_t offset) {
  return offset < section.size() ? reader(section.subspan(offset)).string() : std::string_view();
}

/// One unit's table: the header, and the program that makes the rows.
class unit {
 public:
  /// Reads the unit's header and leaves `r` at the next unit. Without value: this and what follows cannot be read.
  static std::optional<unit> read(reader& r, const string_sections& strings) {
    bool is_64 = false;
    std::uint64_t length = r.fixed<std::uint32_t>();
    if (length == 0xFFFFFFFFU) {
      is_64 = true;
      length = r.fixed<std::uint64_t>();
    }
    reader body(r.take(length));
    if (r.failed()) return std::nullopt;
    unit u;
    u.read_header(body, is_64, strings);
    return u;
  }

  /// Calls row(address, file, line) for each row and end(address) after each sequence's last.
  template <class Row, class End>
  void run(Row row, End end) const {
    if (!usable_) return;
    reader r(program_);
    std::uintptr_t address = 0;
    std::uint64_t file = 1;
    std::int64_t line = 1;
    const auto advance = [&](std::uint64_t steps) { address += steps * minimum_length_; };
    while (!r.at_end()) {
      const auto op = r.fixed<std::uint8_t>();
      if (op >= opcode_base_) {
        const unsigned special = op - opcode_base_;
        advance(special / line_range_);
        line += line_base_ + static_cast<int>(special % line_range_);
        row(address, file, line);
      } else if (op == 0) {
        reader extended(r.take(r.uleb()));
        switch (extended.fixed<std::uint8_t>()) {
          case 1:  // DW_LNE_end_sequence
            end(address);
            address = 0;
            file = 1;
            line = 1;
            break;
          case 2: address = extended.fixed<std::uintptr_t>(); break;  // DW_LNE_set_address
          default: break;
        }
      } else {
        switch (op) {
          case 1: row(address, file, line); break;                      // DW_LNS_copy
          case 2: advance(r.uleb()); break;                             // DW_LNS_advance_pc
          case 3: line += r.sleb(); break;                              // DW_LNS_advance_line
          case 4: file = r.uleb(); break;                               // DW_LNS_set_file
          case 8: advance((255U - opcode_base_) / line_range_); break;  // DW_LNS_const_add_pc
          case 9: address += r.fixed<std::uint16_t>(); break;           // DW_LNS_fixed_advance_pc
          default:
            for (std::uint8_t i = 0; i < operands_[op]; ++i) (void)r.uleb();
            break;
        }
      }
    }
  }

  [[nodiscard]] std::string file(std::uint64_t number) const {
    const std::uint64_t index = version_ >= 5 ? number : number - 1;
    if (index >= files_.size()) return {};
    const file_entry& f = files_[index];
    std::string path(f.name);
    // Before version 5 folder 0, the compilation's, is not in this table.
    const std::uint64_t at = version_ >= 5 ? f.folder : f.folder - 1;
    if (!path.starts_with('/') && at < folders_.size()) path = join(folders_[at], path);
    if (!path.starts_with('/') && version_ >= 5 && !folders_.empty()) path = join(folders_[0], path);
    return path;
  }

 private:
  static std::string join(std::string_view folder, const std::string& name) {
    return folder.empty() ? name : std::string(folder) + "/" + name;
  }

  void read_header(reader& body, bool is_64, const string_sections& strings) {
    version_ = body.fixed<std::uint16_t>();
    if (version_ < 2 || version_ > 5) return;
    if (version_ >= 5) {
      if (body.fixed<std::uint8_t>() != sizeof(void*)) return;
      (void)body.fixed<std::uint8_t>();  // the size of a segment's selector
    }
    reader header(body.take(body.offset(is_64)));
    minimum_length_ = header.fixed<std::uint8_t>();
    if (version_ >= 4) (void)header.fixed<std::uint8_t>();  // operations an instruction: 1 here
    (void)header.fixed<std::uint8_t>();                     // whether a row is a statement at first
    line_base_ = header.fixed<std::int8_t>();
    line_range_ = header.fixed<std::uint8_t>();
    opcode_base_ = header.fixed<std::uint8_t>();
    for (unsigned op = 1; op < opcode_base_; ++op) operands_[op] = header.fixed<std::uint8_t>();
    if (version_ >= 5) {
      for (const file_entry& f : read_entries(header, is_64, strings)) folders_.push_back(f.name);
      files_ = read_entries(header, is_64, strings);
    } else {
      for (std::string_view s = header.string(); !s.empty(); s = header.string()) folders_.push_back(s);
      for (std::string_view s = header.string(); !s.empty(); s = header.string()) {
        files_.push_back({s, header.uleb()});
        (void)header.uleb();  // when it was changed
        (void)header.uleb();  // its length
      }
    }
    program_ = body.take(body.left());
    usable_ = !body.failed() && !header.failed() && line_range_ != 0 && opcode_base_ != 0;
  }

  static std::vector<file_entry> read_entries(reader& r, bool is_64, const string_sections& strings) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> format(r.fixed<std::uint8_t>());
    for (auto& [content, form] : format) {
      content = r.uleb();
      form = r.uleb();
    }
    std::vector<file_entry> all;
    if (format.empty()) r.fail();
    for (std::uint64_t n = r.uleb(); n > 0 && !r.failed(); --n) {
      file_entry& f = all.emplace_back();
      for (const auto& [content, form] : format) {
        std::string_view text;
        std::uint64_t number = 0;
        switch (form) {
          case 0x08: text = r.string(); break;                                        // DW_FORM_string
          case 0x1F: text = string_at(strings.line_strings, r.offset(is_64)); break;  // DW_FORM_line_strp
          case 0x0E: text = string_at(strings.strings, r.offset(is_64)); break;       // DW_FORM_strp
          case 0x0B: number = r.fixed<std::uint8_t>(); break;                         // DW_FORM_data1
          case 0x05: number = r.fixed<std::uint16_t>(); break;                        // DW_FORM_data2
          case 0x06: number = r.fixed<std::uint32_t>(); break;                        // DW_FORM_data4
          case 0x07: number = r.fixed<std::uint64_t>(); break;                        // DW_FORM_data8
          case 0x0F: number = r.uleb(); break;                                        // DW_FORM_udata
          case 0x1E: (void)r.take(16); break;                                         // DW_FORM_data16
          case 0x09: (void)r.take(r.uleb()); break;                                   // DW_FORM_block
          default: r.fail(); break;
        }
        if (content == 1) f.name = text;      // DW_LNCT_path
        if (content == 2) f.folder = number;  // DW_LNCT_directory_index
      }
    }
    return all;
  }

  bool usable_ = false;
  std::uint16_t version_ = 0;
  std::uint8_t minimum_length_ = 1;
  std::int8_t line_base_ = 0;
  std::uint8_t line_range_ = 0;
  std::uint8_t opcode_base_ = 0;
  std::uint8_t operands_[256] = {};
  std::vector<std::string_view> folders_;
  std::vector<file_entry> files_;
  bytes program_;
};

}  // namespace

line_table::line_table(const elf_file& file)
    : lines_(file.section(".debug_line")),
      line_strings_(file.section(".debug_line_str")),
      strings_(file.section(".debug_str")) {
  reader r(lines_);
  while (!r.at_end()) {
    const std::size_t at = lines_.size() - r.left();
    const std::optional<unit> u = unit::read(r, {line_strings_, strings_});
    if (!u) break;
    constexpr std::uintptr_t none = ~std::uintptr_t{0};
    std::uintptr_t low = none;
    u->run([&](std::uintptr_t address, std::uint64_t, std::int64_t) { low = std::min(low, address); },
           [&](std::uintptr_t high) {
             // What the linker has dropped is left behind at the very beginning.
             if (low != 0 && low < high) sequences_.push_back({low, high, at});
             low = none;
           });
  }
  std::sort(sequences_.begin(), sequences_.end(),
            [](const sequence& a, const sequence& b) { return a.low != b.low ? a.low < b.low : a.high < b.high; });
}

line_table::place line_table::find(std::uintptr_t begin, std::uintptr_t address,
                                   const std::function<bool(std::string_view file)>& wanted) const {
  auto s = std::upper_bound(sequences_.begin(), sequences_.end(), address,
                            [](std::uintptr_t a, const sequence& q) { return a < q.low; });
  if (s == sequences_.begin() || address >= (--s)->high) return {};
  reader r(lines_.subspan(s->unit));
  const std::optional<unit> u = unit::read(r, {line_strings_, strings_});
  if (!u) return {};
  struct row {
    std::uintptr_t address;
    std::uint64_t file;
    std::int64_t line;
  };
  std::vector<row> rows;  // of the current sequence, as far as they matter
  place found;
  u->run(
      [&](std::uintptr_t at, std::uint64_t file, std::int64_t line) {
        if (at <= address) rows.push_back({at, file, line});
      },
      [&](std::uintptr_t high) {
        if (!rows.empty() && rows.front().address == s->low && high == s->high && found.file.empty()) {
          // The row that holds `begin` counts from there on.
          for (auto it = rows.rbegin(); it != rows.rend(); ++it) {
            if (it->line != 0) {
              if (std::string file = u->file(it->file); !file.empty() && wanted(file)) {
                found = {std::move(file), static_cast<int>(it->line)};
                break;
              }
            }
            if (it->address <= begin) break;
          }
        }
        rows.clear();
      });
  return found;
}

}  // namespace tenon::diag
