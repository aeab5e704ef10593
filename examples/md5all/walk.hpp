#pragma once

/// Finds the files: what `find ROOT... -type f` prints, one after the other.
///
/// Regular files only. Inside a tree no symbolic link is followed, so a loop of them cannot catch the walk; links,
/// FIFOs, sockets and devices are passed over. A root is what the user asked for by name: there a symbolic link is
/// followed, and what is neither a file nor a directory is an error.

#include <functional>
#include <string>
#include <vector>

#include <tenon/context.hpp>
#include <tenon/error.hpp>

namespace md5all {

namespace tn = tenon;

/// A file to digest; or, with a failure, what could not be walked.
struct found {
  std::string path;
  bool is_root = false;  // named by the user: opening it follows a symbolic link
  tn::error failure = {};
};

enum class order {
  by_path,       ///< the bytes of the whole path, as `LC_ALL=C sort` has it. Holds the names of one directory a level.
  as_they_come,  ///< as the file system lists them. Holds the names of subdirectories only.
};

/// Calls `visit` for every file under the roots, in this goroutine, until there are no more, `visit` returns false or
/// `ctx` is canceled. Reads directories inside `tn::blocking`.
void walk(const tn::context& ctx, const std::vector<std::string>& roots, order how,
          const std::function<bool(found)>& visit);

}  // namespace md5all
