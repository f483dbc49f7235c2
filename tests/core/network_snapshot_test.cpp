#include "core/network_snapshot.h"

#include <gtest/gtest.h>

#include "core/generator.h"
#include "core/kernels.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

TEST(Snapshot, PredictsARowAlikeInWhateverBatchAndStaysAsItWas) {
  NetworkSpec spec = dense_network(2, {9, 7, 2}, Activation::gelu, Activation::softmax);
  LayerSpec norm;
  norm.kind = LayerKind::batch_norm;
  spec.layers.insert(spec.layers.begin() + 1, norm);
  norm.kind = LayerKind::dropout;
  spec.layers.insert(spec.layers.begin() + 2, norm);
  const Dataset data = article_xor();
  const auto learner = make_learner(spec);
  ASSERT_TRUE(learner->bind(std::make_shared<Dataset>(data), {32, true, {}}).ok());
  learner->advance(50, 0, {});
  const auto snapshot = learner->snapshot();
  EXPECT_EQ(snapshot->step(), 50u);
  const auto workspace = snapshot->make_workspace();
  Matrix<double> whole(data.rows, 2);
  snapshot->predict(ConstMatrixView<double>(data.inputs.data(), data.rows, 2), whole.view(), *workspace);
  learner->advance(10, 0, {});  // must not show in the snapshot
  for (std::size_t size : {1u, 3u, 7u, 17u, 299u}) {
    Matrix<double> part(size, 2);
    for (std::size_t row = 0; row + size <= data.rows; row += size) {
      snapshot->predict(ConstMatrixView<double>(data.inputs.data() + 2 * row, size, 2), part.view(),
                        *workspace);
      for (std::size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part.data()[i], whole.data()[2 * row + i]);
    }
  }
  snapshot->predict(ConstMatrixView<double>(nullptr, 0, 2), MatrixView<double>(nullptr, 0, 2), *workspace);
}

}  // namespace
}  // namespace mlpd::core
