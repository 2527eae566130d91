// stdout as a result that can fail: what was printed and never arrived is an error, not success.
#pragma once

#include <string_view>

namespace attune::console {

/// Puts /dev/null, opened the wrong way round, where the caller closed a standard stream. Otherwise the next file that
/// is opened would get the stream's number, and the results would be printed into it. The first thing that main does.
void occupy_closed_streams();

/// Writes to stdout, buffered. Error{storage} when it cannot be written.
void print(std::string_view text);

/// Error{storage} when something printed cannot be delivered. The last thing that main does.
void flush();

}  // namespace attune::console
