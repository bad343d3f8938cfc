/** First in, first out, in constant time; what is no longer wanted can be taken out of the middle. */
export class Queue<T extends { readonly id: string }> {
  #items: T[] = [];
  #head = 0;
  readonly #removed = new Set<string>();

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    for (; this.#head < this.#items.length; this.#head++) {
      const item = this.#items[this.#head] as T;
      if (!this.#removed.delete(item.id)) return item;
    }
    return undefined;
  }

  shift(): T | undefined {
    const item = this.peek();
    if (item !== undefined) this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  remove(id: string): void {
    this.#removed.add(id);
  }
}
