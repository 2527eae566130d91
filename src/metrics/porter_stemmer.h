// The Porter stemmer in the variant that rouge-score uses: NLTK's nltk.stem.porter.PorterStemmer in its default mode.
// It adds to "An algorithm for suffix stripping" (Porter 1980) a table of irregular words, later rules by Martin Porter
// (-bli, -logi) and rules of its own; each of them is marked in the source.
#pragma once

#include <string>

namespace attune::metrics {

/// The stem of a lower-case ASCII word; digits count as consonants.
std::string porter_stem(std::string word);

}  // namespace attune::metrics
