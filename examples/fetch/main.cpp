// fetch: many pages at once, by http and https. The guide's example for errgroup, as a program.
//
// Notice: the first failure ends the others, or with --keep-going each fails by itself: that is which group they are members of. -j is the group's limit, --timeout a
// context, Ctrl-C the end of the root's; whatever ends it, no connection and no half-written file is left behind.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <tenon/tenon.hpp>

#include "download.hpp"

namespace tn = tenon;
using namespace std::chrono_literals;

namespace {

struct options {
  std::vector<std::string> urls;
  int at_once = 8;
  double timeout = 0;
  double timeout_each = 30;
  bool keep_going = false;
  bool quiet = false;
  std::string folder;
  std::string authority;
  std::size_t most_bytes = 256 << 20U;
};

/// What has been done so far: for the line of progress, and for the last one.
struct progress {
  std::size_t all = 0;
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> failed{0};
  std::atomic<std::uint64_t> bytes{0};

  [[nodiscard]] std::string text() const {
    return std::to_string(done) + " of " + std::to_string(all) + " pages, " + std::to_string(failed) + " failed, " +
           std::to_string(bytes) + " bytes";
  }
};

/// The last part of the path, or index.html.
std::string file_name(const fetch::url& u) {
  const std::string path = u.target.substr(0, u.target.find('?'));
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.empty() || name == "." || name == ".." ? "index.html" : name;
}

class fetcher {
 public:
  fetcher(const options& chosen, progress& so_far)
      : chosen_(chosen),
        so_far_(so_far),
        client_{boost::asio::ssl::context(boost::asio::ssl::context::tls_client), chosen.most_bytes} {
    if (chosen.authority.empty()) {
      client_.trust.set_default_verify_paths();
    } else {
      client_.trust.load_verify_file(chosen.authority);
    }
  }

  tn::error one(const tn::context& ctx, const std::string& text) {
    const auto begun = std::chrono::steady_clock::now();
    tn::error e = save(tn::within(ctx, chosen_.timeout_each * 1s), text, begun);
    return e ? tn::error(text, e) : nullptr;
  }

 private:
  tn::error save(const tn::context& ctx, const std::string& text, std::chrono::steady_clock::time_point begun) {
    auto from = fetch::url::parse(text);
    if (!from) return from.err();
    auto page = client_.get(ctx, *from);
    if (!page) return page.err();
    std::string where;
    if (!chosen_.folder.empty()) {
      where = " > " + name_for(*from);
      const auto path = std::filesystem::path(chosen_.folder) / where.substr(3);
      if (!tn::blocking([&] { return write(path, page->body); })) return tn::error("cannot write " + path.string());
    }
    so_far_.bytes += page->body.size();
    ++so_far_.done;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    const std::string line = std::to_string(page->body.size()) + " bytes " + std::to_string(took.count()) + " ms " +
                             page->from.to_string() + where + "\n";
    const std::lock_guard hold(mu_);
    std::cout << line << std::flush;
    return nullptr;
  }

  /// The whole of it, or nothing is left.
  static bool write(const std::filesystem::path& path, const std::string& body) {
    std::ofstream out(path, std::ios::binary);
    if (!out) return false;
    out << body;
    out.close();
    std::error_code ignored;
    if (!out) std::filesystem::remove(path, ignored);
    return static_cast<bool>(out);
  }

  /// No two have the same.
  std::string name_for(const fetch::url& u) {
    const std::lock_guard hold(mu_);
    const std::string name = file_name(u);
    std::string free = name;
    for (int i = 1; !names_.insert(free).second; ++i) free = name + "." + std::to_string(i);
    return free;
  }

  const options& chosen_;
  progress& so_far_;
  fetch::client client_;
  tn::mutex mu_;
  std::set<std::string> names_;  // guarded by mu_
};

tn::error fetch_all(const tn::context& ctx, const options& chosen, progress& so_far) {
  fetcher f(chosen, so_far);
  std::optional<tn::group> g;
  if (chosen.keep_going) {
    g.emplace(ctx, [&](const tn::error& e) {
      ++so_far.failed;
      std::cerr << "fetch: " + e.message() + "\n";
    });
  } else {
    g.emplace(ctx);
  }
  g->set_limit(chosen.at_once);
  for (const std::string& url : chosen.urls) {
    if (g->ctx().is_canceled()) break;
    g->go([&f, &url](const tn::context& c) { return f.one(c, url); });
  }
  tn::error e = g->wait();
  if (!e && ctx.is_canceled()) e = ctx.err();
  if (e) ++so_far.failed;
  return e;
}

tn::error run(tn::group& root, const options& chosen) {
  progress so_far;
  so_far.all = chosen.urls.size();
  auto bound = tn::with_cancel(root.ctx());
  if (chosen.timeout > 0) bound = tn::with_timeout(root.ctx(), chosen.timeout * 1s);
  const bool shows = !chosen.quiet && ::isatty(STDERR_FILENO) == 1;
  tn::group line(root.ctx());
  if (shows) {
    line.go({.name = "progress"}, [&](const tn::context& ctx) {
      while (tn::sleep_for(ctx, 200ms)) std::fprintf(stderr, "\r%s \r", so_far.text().c_str());
    });
  }
  tn::error e = fetch_all(bound.ctx(), chosen, so_far);
  line.cancel();
  (void)line.wait();
  if (!chosen.quiet) std::cerr << so_far.text() << '\n';
  if (!e && so_far.failed != 0) e = tn::error("fetch: " + std::to_string(so_far.failed) + " failed");
  return e;
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app("Fetches many pages at once, by http and https.", "fetch");
  app.add_option("URL", chosen.urls, "what to fetch")->required();
  app.add_option("-j,--at-once", chosen.at_once, "so many at a time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("-t,--timeout", chosen.timeout, "seconds for all of them; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("-T,--timeout-each", chosen.timeout_each, "seconds for one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("-k,--keep-going", chosen.keep_going, "a failure does not end the others");
  app.add_option("-o,--output", chosen.folder, "the folder to save them in (default: they are not kept)")
      ->check(CLI::ExistingDirectory);
  app.add_option("--ca", chosen.authority, "certificates to trust, PEM, instead of the system's")
      ->check(CLI::ExistingFile);
  app.add_option("--max-bytes", chosen.most_bytes, "of one page")->capture_default_str();
  app.add_flag("-q,--quiet", chosen.quiet, "no progress");
  CLI11_PARSE(app, argc, argv);
  try {
    return tn::run([&](tn::group& root) { return run(root, chosen); });
  } catch (const std::exception& e) {
    std::cerr << "fetch: " << e.what() << '\n';
    return 1;
  }
}
