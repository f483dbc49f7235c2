import { escaped } from '../figures/svg';

/** Pieces of MathML as text. Names of one letter are variables, longer ones are functions. */
export const name = (text: string) => `<mi>${escaped(text)}</mi>`;
export const number = (text: string) => `<mn>${escaped(text)}</mn>`;
export const sign = (text: string) => `<mo>${escaped(text)}</mo>`;
export const row = (...parts: string[]) => `<mrow>${parts.join('')}</mrow>`;
export const lower = (base: string, index: string) => `<msub>${base}<mrow>${index}</mrow></msub>`;
export const upper = (base: string, power: string) => `<msup>${base}<mrow>${power}</mrow></msup>`;
export const both = (base: string, index: string, power: string) =>
  `<msubsup>${base}<mrow>${index}</mrow><mrow>${power}</mrow></msubsup>`;
/** What a step makes of it: the prime stands by the letter, since fonts without mathematics let it drift as a power. */
export const primed = (base: string) => row(base, '<mo lspace="0" rspace="0">′</mo>');
export const over = (top: string, bottom: string) =>
  `<mfrac><mrow>${top}</mrow><mrow>${bottom}</mrow></mfrac>`;
export const bold = (text: string) => `<mi mathvariant="normal" class="matrix">${escaped(text)}</mi>`;
/** Brackets grow with what is in them only where that is tall: the fonts at hand draw them too tall for plain numbers. */
export function bracket(...parts: string[]): string {
  const grows = parts.some((part) => part.includes('<mfrac>'));
  const one = (text: string) => (grows ? sign(text) : `<mo stretchy="false">${text}</mo>`);
  return row(one('('), ...parts, one(')'));
}
/** In the size of the text around it, fractions too. */
export const shown = (content: string) => `<math displaystyle="true"><mrow>${content}</mrow></math>`;

/** A sum in pieces that may stand on lines of their own: broken before each = and + that is in no bracket or fraction. */
export function pieces(content: string): string[] {
  const found = [''];
  let depth = 0;
  for (const [tag] of content
    .replace(/^<mrow>(.*)<\/mrow>$/, '$1')
    .matchAll(/<mo>[=+]<\/mo>|<[^>]+>|[^<]+/g)) {
    const whole = tag.endsWith('</mo>') && tag !== '</mo>';
    if (whole && depth === 0) found.push(tag.replace('<mo>', '<mo form="infix">'));
    else found[found.length - 1] += tag;
    if (!whole && tag.startsWith('<')) depth += tag.startsWith('</') ? -1 : 1;
  }
  return found;
}

/** ∂L / ∂(something). */
export const slope = (of: string) => over(`${sign('∂')}${name('L')}`, `${sign('∂')}${of}`);

const z = name('z');
const e_to = (power: string) => upper(name('e'), power);

/** What an activation does to z. */
export function activation_formula(kind: string): string {
  const f = (body: string) => row(name('f'), bracket(z), sign('='), body);
  switch (kind) {
    case 'sigmoid':
      return row(
        name('σ'),
        bracket(z),
        sign('='),
        over(number('1'), row(number('1'), sign('+'), e_to(row(sign('−'), z)))),
      );
    case 'tanh':
      return row(
        name('tanh'),
        bracket(z),
        sign('='),
        over(
          row(e_to(z), sign('−'), e_to(row(sign('−'), z))),
          row(e_to(z), sign('+'), e_to(row(sign('−'), z))),
        ),
      );
    case 'relu':
      return f(row(name('max'), bracket(number('0'), sign(','), z)));
    case 'softmax':
      return row(
        lower(name('h'), name('j')),
        sign('='),
        over(e_to(lower(z, name('j'))), row(lower(sign('∑'), name('k')), e_to(lower(z, name('k'))))),
      );
    case 'softplus':
      return f(row(name('ln'), bracket(number('1'), sign('+'), e_to(z))));
    case 'silu':
      return f(over(z, row(number('1'), sign('+'), e_to(row(sign('−'), z)))));
    case 'linear':
      return f(z);
    default:
      return row(name('f'), bracket(z), sign('='), name(kind), bracket(z));
  }
}

/** The loss over N rows. */
export function loss_formula(kind: string): string {
  const per = (bottom: string, body: string) =>
    row(name('L'), sign('='), over(number('1'), bottom), sign('∑'), body);
  const [n, y, h] = [name('N'), name('y'), name('h')];
  switch (kind) {
    case 'cross_entropy':
      return row(name('L'), sign('='), sign('−'), over(number('1'), n), sign('∑'), y, name('ln'), h);
    case 'binary_cross_entropy':
      return row(
        name('L'),
        sign('='),
        sign('−'),
        over(number('1'), row(n, name('K'))),
        sign('∑'),
        bracket(
          y,
          name('ln'),
          h,
          sign('+'),
          bracket(number('1'), sign('−'), y),
          name('ln'),
          bracket(number('1'), sign('−'), h),
        ),
      );
    case 'half_squared_error':
      return per(row(number('2'), n), upper(bracket(y, sign('−'), h), number('2')));
    case 'mean_squared_error':
      return per(row(n, name('K')), upper(bracket(y, sign('−'), h), number('2')));
    case 'mean_absolute_error':
      return per(row(n, name('K')), row(sign('|'), y, sign('−'), h, sign('|')));
    default:
      return row(name('L'), sign('='), name(kind), bracket(y, sign(','), h));
  }
}
