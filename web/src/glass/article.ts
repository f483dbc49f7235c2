import type { NetworkSpec, Numbers } from '../api/types';

/** The worked training step of the article: a 2-3-2 sigmoid network without biases, and one row. */
export const kArticleName = 'article-step';
export const article_spec: NetworkSpec = {
  inputs: 2,
  layers: [
    {
      type: 'dense',
      units: 3,
      activation: 'sigmoid',
      bias: false,
      weights: [
        [-0.67746455, 0.37769425, -0.07365253],
        [-0.53663519, 0.60920496, 0.21149622],
      ],
    },
    {
      type: 'dense',
      units: 2,
      activation: 'sigmoid',
      bias: false,
      weights: [
        [-0.41491732, -0.30992816],
        [-0.31583913, -0.27706468],
        [-0.44701662, 0.15231059],
      ],
    },
  ],
  loss: 'half_squared_error',
  optimizer: { type: 'sgd', learning_rate: 0.001 },
  dtype: 'float64',
};
export const article_rows: { inputs: Numbers; targets: Numbers } = {
  inputs: [[1.76405235, 0.40015721]],
  targets: [[1, 0]],
};
