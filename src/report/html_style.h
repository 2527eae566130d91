// The style sheet of the report page.
#pragma once

namespace attune::report {

extern const char* const kStyleSheet;

}  // namespace attune::report
