// What `attune prompt run` is made of, for those who go over it again.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/study/prompting.h"

namespace attune::study {

/// What results say of the rows: {"rows", "majority", of texts "scored_rows": how many have a text of their own, on
/// which metrics of texts rest, "duplicates" where there are some}.
files::Json rows_told(const PromptJob& job);

/// Whether answers behind such examples depend on the seed: examples, their order or tokens are drawn.
bool has_chance(const PromptJob& job, const prompt::FewShotOptions& examples);

/// Seeds under which wordings are asked: one where all give the same.
std::vector<std::uint64_t> seeds_of(const PromptJob& job);

/// The wording as it is asked under the seed.
Variant variant_of(const PromptJob& job, const prompt::Wording& wording, std::uint64_t seed);

/// The numbers of the metrics of [{"metrics"}], averaged; null where one of them is.
files::Json mean_metrics(const files::Json& seeds);

}  // namespace attune::study
