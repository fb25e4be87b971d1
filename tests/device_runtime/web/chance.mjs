/** Whole numbers below a bound that look drawn, the same at each run (Marsaglia, "Xorshift RNGs", 2003). */
export function chance(seed) {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
