#pragma once

namespace tenon {

/// Makes fatal errors print a dump, stack overflows be reported as such and, if wanted, SIGQUIT dump and exit. Defined in diag;
/// the rooms below know only this name. May be called again.
void install_diagnostics(bool dump_on_sigquit);

}  // namespace tenon
