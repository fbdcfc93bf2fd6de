/** What a value means beside what made it: what an op lets others conclude, so that they need not know the op. */

/**
 * How a value follows from others, element by element. An operand that is a number is the same everywhere.
 *
 * - `number`: the same number everywhere.
 * - `sum`, `product`: of the two operands.
 * - `below`: whether `of` is smaller than the limit, or equal to it where `inclusive` says so.
 * - `conversion`: the numbers of `of` in another element type.
 */
export type Meaning<V> =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "sum"; readonly of: V; readonly and: V | number }
  | { readonly kind: "product"; readonly of: V; readonly and: V | number }
  | { readonly kind: "below"; readonly of: V; readonly limit: V | number; readonly inclusive: boolean }
  | { readonly kind: "conversion"; readonly of: V };
