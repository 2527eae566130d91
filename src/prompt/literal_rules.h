// What the rules of a prompt set do to the text of a template outside of its tags.
#pragma once

#include "attune/prompt/wordings.h"
#include "attune/text/template.h"

namespace attune::prompt {

/// Changes the case of letters, then replaces every ":" in front of a blank, a line end or a tag.
text::Template::LiteralMap literal_rule(const Wording& wording);

}  // namespace attune::prompt
