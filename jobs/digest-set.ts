/**
 * A set of 128-bit digests, 16 bytes each and a third more: what a job of millions of lines remembers of them.
 *
 * Open addressing with linear probing; digests are spread evenly already, so their own bits are the hash.
 */

// Public API

export class DigestSet {
  #slots = new BigUint64Array(2 * 1024);
  #size = 0;

  /** How many it holds. */
  get size(): number {
    return this.#size;
  }

  /** Whether it holds a digest, of which the first 16 bytes count. */
  has(digest: Buffer): boolean {
    const [high, low] = halves(digest);
    return this.#slots[find(this.#slots, high, low)] !== 0n;
  }

  /** Adds one. @returns whether it was not there before */
  add(digest: Buffer): boolean {
    const [high, low] = halves(digest);
    const at = find(this.#slots, high, low);
    if (this.#slots[at] !== 0n) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length * maximalLoad) this.#grow();
    return true;
  }

  // Implementation

  #grow(): void {
    const grown = new BigUint64Array(2 * this.#slots.length);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [high, low] = [this.#slots[at] as bigint, this.#slots[at + 1] as bigint];
      if (high === 0n) continue;
      const place = find(grown, high, low);
      grown[place] = high;
      grown[place + 1] = low;
    }
    this.#slots = grown;
  }
}

// Implementation

const maximalLoad = 0.7;

/** Zero marks an empty slot, so no first half is zero. */
function halves(digest: Buffer): readonly [bigint, bigint] {
  return [digest.readBigUInt64LE(0) || 1n, digest.readBigUInt64LE(8)];
}

/** The slot that holds a digest, or the one where it belongs. */
function find(slots: BigUint64Array, high: bigint, low: bigint): number {
  const mask = slots.length / 2 - 1;
  for (let slot = Number(high & BigInt(mask)); ; slot = (slot + 1) & mask) {
    const found = slots[2 * slot];
    if (found === 0n || (found === high && slots[2 * slot + 1] === low)) return 2 * slot;
  }
}
