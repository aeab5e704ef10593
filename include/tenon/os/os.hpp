#pragma once

/// Everything of `tenon::os`: files, pipes and programs, whose every wait parks the goroutine and ends with its context. Link to `tenon::os`.
///
/// Go counterpart: packages `os` and `os/exec`.

#include <tenon/os/command.hpp>
#include <tenon/os/file.hpp>
#include <tenon/os/pipe.hpp>
