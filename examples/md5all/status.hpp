#pragma once

namespace md5all {

enum class exit_status {
  success = 0,
  failed = 1,  ///< something could not be read or written
  usage = 2,
  interrupted = 130,
  nobody_reads = -1,  ///< standard output is a pipe without a reader: to end by SIGPIPE, as md5sum does
};

}  // namespace md5all
