// See encode_rows.h.
#include "job/encode_rows.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <span>
#include <thread>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/parallel.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// Neighbouring examples that one thread encodes at once.
struct Piece {
  std::size_t begin = 0, end = 0;
  std::vector<task::Encoded> encoded = {};
  std::vector<std::pair<std::size_t, std::string>> bad = {};  ///< example, what is wrong with it
};

std::size_t bytes_of(const data::Example& example) {
  return example.text.size() + example.text_pair.size() + example.messages.size();
}

/// The examples in pieces: so small that the tokenizer starts no threads of its own inside, so large that a template is parsed
/// once for many chats.
std::vector<Piece> pieces_of(std::span<const data::Example> examples) {
  constexpr std::size_t kBytes = 32 << 10, kExamples = 1024;
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (pieces.empty() || bytes >= kBytes || i - pieces.back().begin >= kExamples) {
      pieces.push_back({.begin = i, .end = i});
      bytes = 0;
    }
    pieces.back().end = i + 1;
    bytes += bytes_of(examples[i]);
  }
  return pieces;
}

bool concerns_one_row(const Error& error) {
  return error.kind() == ErrorKind::data || dynamic_cast<const task::RowError*>(&error) != nullptr;
}

class Encoder {
 public:
  Encoder(std::span<const data::Example> examples, const Encoding& encoding)
      : examples_(examples), encoding_(encoding) {}

  /// An error tells of the first bad row, or bad rows are kept in the piece.
  void encode(Piece& piece) const {
    try {
      return add(piece, piece.begin, piece.end);
    } catch (const Error& error) {
      if (!encoding_.skips_bad_rows || !concerns_one_row(error)) throw;
    }
    for (std::size_t i = piece.begin; i < piece.end; ++i) {
      try {
        add(piece, i, i + 1);
      } catch (const Error& error) {
        if (!concerns_one_row(error)) throw;
        piece.bad.emplace_back(i, error.what());
      }
    }
  }

 private:
  void add(Piece& piece, std::size_t begin, std::size_t end) const {
    const auto some = examples_.subspan(begin, end - begin);
    for (task::Encoded& row : encoding_.task.encode(some, encoding_.tokenizer)) {
      row.example += static_cast<std::int64_t>(begin);
      piece.encoded.push_back(std::move(row));
    }
  }

  std::span<const data::Example> examples_;
  const Encoding& encoding_;
};

std::size_t core_count() { return std::max(1u, std::thread::hardware_concurrency()); }

/// `before`: examples that are done already.
void encode_pieces(std::vector<Piece>& pieces, const Encoder& encoder, const Encoding& encoding, std::size_t before) {
  const std::thread::id caller = std::this_thread::get_id();
  const std::size_t cores = core_count();
  std::atomic<std::int64_t> done{static_cast<std::int64_t>(before)};
  parallel_runs(pieces.size(), {.threads = std::clamp<std::size_t>(pieces.size(), 1, cores)},
                [&](std::size_t& i, std::size_t end) {
                  for (; i < end; ++i) {
                    encoder.encode(pieces[i]);
                    const auto count = static_cast<std::int64_t>(pieces[i].end - pieces[i].begin);
                    const std::int64_t now = done.fetch_add(count) + count;
                    if (encoding.progress && std::this_thread::get_id() == caller) encoding.progress(now);
                  }
                });
}

/// Each file once, in the order of the examples.
void add_files(std::span<const data::Example> examples, std::vector<std::string>& files) {
  for (const data::Example& example : examples) {
    const std::string& file = example.origin.file;
    if (files.empty() || (files.back() != file && std::ranges::find(files, file) == files.end())) files.push_back(file);
  }
}

/// Puts bad examples among the rows that reading passed over, by file and line.
void list_also(std::vector<data::SkippedRow> bad, const std::vector<std::string>& files, data::ReadReport& report) {
  std::vector<data::SkippedRow>& listed = report.skipped_rows;
  std::ranges::move(bad, std::back_inserter(listed));
  const auto place = [&](const data::SkippedRow& row) {
    return std::pair(std::ranges::find(files, static_cast<const std::string&>(row.origin.file)), row.origin.line);
  };
  std::ranges::stable_sort(listed, {}, place);
  if (listed.size() > data::ReadReport::kMaxListed) listed.resize(data::ReadReport::kMaxListed);
}

/// What was passed over of the examples of some pieces: so many, and the first of them.
struct PassedOver {
  std::int64_t count = 0;
  std::vector<data::SkippedRow> told = {};
};

/// Takes the bad examples of the pieces out of `examples` and gives each row the place of its example, of which `first` is that of
/// the first.
void leave_out(std::vector<Piece>& pieces, std::size_t first, std::vector<data::Example>& examples, PassedOver& passed_over) {
  std::vector<std::int64_t> places(examples.size());
  std::size_t kept = 0;
  for (Piece& piece : pieces) {
    auto bad = piece.bad.begin();
    for (std::size_t i = piece.begin; i < piece.end; ++i) {
      places[i] = static_cast<std::int64_t>(first + kept);
      if (bad == piece.bad.end() || bad->first != i) {
        if (kept != i) examples[kept] = std::move(examples[i]);
        ++kept;
        continue;
      }
      ++passed_over.count;
      if (passed_over.told.size() < data::ReadReport::kMaxListed) passed_over.told.push_back({.origin = examples[i].origin, .message = bad->second});
      ++bad;
    }
    for (task::Encoded& row : piece.encoded) row.example = places[static_cast<std::size_t>(row.example)];
  }
  examples.resize(kept);
}

}  // namespace

std::int64_t encode_rows(Rows& rows, const Encoding& encoding, data::ReadReport& report) {
  // Some pieces at a time, so that rows do not lie in pieces and in the result at once.
  constexpr std::size_t kBytesACore = std::size_t{2} << 20;
  std::vector<std::string> files;
  PassedOver passed_over;
  std::size_t done = 0, kept = 0;
  rows.encoded.clear();
  rows.encoded.reserve(rows.examples.size());
  rows.examples.rewrite(kBytesACore * core_count(), [&](std::vector<data::Example>& some) {
    add_files(some, files);
    std::vector<Piece> pieces = pieces_of(some);
    encode_pieces(pieces, Encoder(some, encoding), encoding, done);
    done += some.size();
    leave_out(pieces, kept, some, passed_over);
    kept += some.size();
    if (!encoding.keeps_texts) std::ranges::for_each(some, forget_texts);
    for (Piece& piece : pieces) {
      for (task::Encoded& row : piece.encoded) rows.encoded.push_back(std::move(row));
    }
  });
  if (passed_over.count == 0) return 0;
  report.skipped += passed_over.count;
  list_also(std::move(passed_over.told), files, report);
  if (rows.empty()) throw data::no_usable_row(files, report.skipped, report.skipped_rows.front());
  return passed_over.count;
}

void forget_texts(data::Example& example) {
  std::string().swap(example.text);  // (an assignment would keep the memory)
  for (auto* text : {&example.text_pair, &example.messages, &example.tools}) text->reset();
  for (auto* ids : {&example.input_ids, &example.token_type_ids}) ids->reset();
  example.words.reset();
}

void warn_of_skipped(const data::ReadReport& report, const std::string& split) {
  if (report.skipped == 0) return;
  log::warning(concat(split, ": ", report.skipped, report.skipped == 1 ? " bad row was" : " bad rows were",
                      " skipped (data.on_bad_row)"));
  for (const data::SkippedRow& row : report.skipped_rows) log::warning(row.message);
}

}  // namespace attune::job
