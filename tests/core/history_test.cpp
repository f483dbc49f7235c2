#include "core/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.h"

namespace mlpd::core {
namespace {

Record record(std::uint64_t step, double loss) {
  Record made;
  made.step = step;
  made.loss = loss;
  return made;
}

TEST(History, KeepsEverythingWhileThereIsRoom) {
  History history(100);
  for (std::uint64_t i = 0; i < 100; ++i) history.append(record(i, 1.0 / (1.0 + static_cast<double>(i))));
  EXPECT_EQ(history.size(), 100u);
  EXPECT_EQ(history.last()->step, 99u);
  history.append(record(99, 7));
  EXPECT_EQ(history.size(), 100u);
  EXPECT_EQ(history.last()->loss, 7);
}

TEST(History, StaysBoundedAndKeepsExactExtremesOfEverySpan) {
  constexpr std::uint64_t kAppends = 1'000'000;
  History history;
  std::vector<double> losses;
  Random random(1, 2);
  for (std::uint64_t i = 0; i < kAppends; ++i) {
    losses.push_back(random.uniform());
    history.append(record(i, losses.back()));
    ASSERT_EQ(history.last()->step, i);
  }
  EXPECT_LE(history.size(), 100'000u);
  EXPECT_LE(history.memory_bytes(), 16u << 20);
  const History::State state = history.state();
  EXPECT_EQ(state.records.front().step, 0u);
  std::size_t next = 1;
  for (std::uint64_t begin = 1; begin + state.stride <= kAppends; begin += state.stride) {
    const auto from = losses.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto [low, high] = std::minmax_element(from, from + static_cast<std::ptrdiff_t>(state.stride));
    double kept_low = 2;
    double kept_high = -1;
    for (; next < state.records.size() && state.records[next].step < begin + state.stride; ++next) {
      EXPECT_EQ(state.records[next].loss, losses[state.records[next].step]);
      kept_low = std::min(kept_low, state.records[next].loss);
      kept_high = std::max(kept_high, state.records[next].loss);
    }
    ASSERT_EQ(kept_low, *low) << begin;
    ASSERT_EQ(kept_high, *high) << begin;
  }
}

TEST(History, RestoredContinuesExactly) {
  History whole(50);
  History part(50);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Record made = record(i, std::fabs(static_cast<double>(i % 37) - 11));
    whole.append(made);
    if (i % 97 == 0) part = History::restore(part.state(), 50);
    part.append(made);
  }
  EXPECT_EQ(whole.state().stride, part.state().stride);
  ASSERT_EQ(whole.size(), part.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_EQ(whole.state().records[i].step, part.state().records[i].step);
}

TEST(History, WhatIsSettledStaysAsLongAsTheStride) {
  History history(64);
  History::State before = history.state();
  std::size_t settled = history.settled();
  std::size_t looks = 0;
  Random random(1, 3);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    history.append(record(i - i % 3, random.uniform()));  // some replace the one before
    if (history.stride() == before.stride) {
      ASSERT_GE(history.settled(), settled);
      const History::State now = history.state();
      for (std::size_t k = 0; k < settled; ++k, ++looks) {
        ASSERT_EQ(now.records[k].step, before.records[k].step);
        ASSERT_EQ(now.records[k].loss, before.records[k].loss);
      }
      const History::State rest = history.state(settled);
      ASSERT_EQ(rest.records.size(), now.records.size() - settled);
      ASSERT_EQ(rest.records.back().loss, now.records.back().loss);
    }
    if (i % 7 == 0 || history.stride() != before.stride) {
      before = history.state();
      settled = history.settled();
      ASSERT_LT(before.records.size() - settled, 4U);
    }
  }
  EXPECT_GT(looks, 50'000U);
}

TEST(History, TruncateGoesBackInTime) {
  History history(64);
  for (std::uint64_t i = 0; i < 500; ++i) history.append(record(i, static_cast<double>(i)));
  history.truncate(123);
  EXPECT_LE(history.last()->step, 123u);
  for (std::uint64_t i = 124; i < 5000; ++i) history.append(record(i, static_cast<double>(i)));
  EXPECT_EQ(history.last()->step, 4999u);
  EXPECT_LE(history.size(), 64u);
  history.truncate(0);
  EXPECT_EQ(history.size(), 1u);
}

TEST(History, QueriesThinAndLeaveEmptyColumnsOut) {
  History history;
  for (std::uint64_t i = 0; i < 1000; ++i) history.append(record(i, i == 500 ? 9.0 : i == 600 ? -9.0 : 1.0));
  HistoryQuery query;
  query.max_points = 10;
  const HistoryColumns columns = history.query(query);
  ASSERT_EQ(columns.names, (std::vector<std::string>{"step", "epoch", "loss"}));
  EXPECT_LE(columns.values[0].size(), 10u);
  EXPECT_EQ(columns.values[0].front(), 0);
  EXPECT_EQ(columns.values[0].back(), 999);
  EXPECT_EQ(*std::max_element(columns.values[2].begin(), columns.values[2].end()), 9);
  EXPECT_EQ(*std::min_element(columns.values[2].begin(), columns.values[2].end()), -9);
  EXPECT_TRUE(std::is_sorted(columns.values[0].begin(), columns.values[0].end()));
  query.max_points = 0;
  query.from_step = 10;
  query.to_step = 19;
  query.fields = {"loss"};
  EXPECT_EQ(history.query(query).values[0].size(), 10u);
  for (std::size_t points : {1u, 2u, 3u, 5u, 7u}) {
    HistoryQuery few;
    few.max_points = points;
    EXPECT_LE(history.query(few).values[0].size(), points);
  }
}

}  // namespace
}  // namespace mlpd::core
