// The tokenizers of the WMT evaluations: both set punctuation apart with blanks.
#pragma once

#include <string>

namespace attune::metrics {

/// mteval-v13a.pl as sacrebleu has it, its entities (&quot; &amp; &lt; &gt;) and line breaks resolved.
std::u32string set_apart_13a(std::u32string text);

/// mteval-v14.pl with --international-tokenization.
std::u32string set_apart_international(std::u32string text);

}  // namespace attune::metrics
