// Words and TF-IDF weights against scikit-learn's.
#include "attune/baseline/tfidf.h"
#include "attune/text/words.h"
#include "baseline/goldens.h"

using attune::baseline::TfidfVectorizer;
using attune::testing::Texts;

TEST_CASE("words and TF-IDF weights equal scikit-learn's", "[baseline][golden]") {
  const auto golden = attune::testing::read_goldens("baseline/vectors.json");
  const auto texts = golden["texts"].get<Texts>();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    INFO(texts[i]);
    CHECK(attune::text::lower_case_words(texts[i]) == golden["words_of"][i].get<Texts>());
  }
  const TfidfVectorizer vectorizer(texts);
  CHECK(vectorizer.words() == golden["words"].get<Texts>());
  attune::testing::check_numbers("idf", vectorizer.idf(), golden["idf"]);
  const auto asked = golden["asked"].get<Texts>();
  const auto rows = vectorizer.transform(asked);
  REQUIRE(rows.rows() == asked.size());
  CHECK(rows.columns == vectorizer.words().size());
  for (std::size_t row = 0; row < asked.size(); ++row) {
    INFO(asked[row]);
    const auto& expected = golden["rows"][row];
    REQUIRE(rows.begins[row + 1] - rows.begins[row] == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(rows.column[rows.begins[row] + i] == expected[i][0].get<std::uint32_t>());
      attune::testing::check_number("weight", rows.value[rows.begins[row] + i], expected[i][1]);
    }
  }
}

TEST_CASE("texts without words teach none", "[baseline]") {
  const TfidfVectorizer vectorizer(Texts{"a", "?"});
  CHECK(vectorizer.words().empty());
  const auto rows = vectorizer.transform(Texts{"hello"});
  CHECK(rows.rows() == 1);
  CHECK(rows.columns == 0);
  CHECK(rows.value.empty());
}
