#pragma once

namespace tenon {

/// Makes fatal errors print a dump, stack overflows be reported as such and, if wanted, SIGQUIT dump and exit, and `dump_signal` (0: none) dump
/// and go on. Defined in diag; the layers below know only this name. May be called again.
void install_diagnostics(bool dump_on_sigquit, int dump_signal);

}  // namespace tenon
