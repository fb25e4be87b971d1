// A box with suggestions, by keyboard and pointer: the combobox of the WAI-ARIA Authoring Practices, with a list.

import {make} from "./dom.js";

const PAUSE = 120; // milliseconds without a key before it is asked

/**
 * @param input the text field, @param list the `ul` of its suggestions, @param hint what is said about them
 * @param suggest (text, signal) => options, best first: {name, note, sure, ...}
 * @param choose takes an option; the text is cleared before
 */
export class Combobox {
  #options = [];
  #active = -1;
  #timer = 0;
  #asking = new AbortController();

  constructor({input, list, hint, suggest, choose, fail}) {
    Object.assign(this, {input, list, hint, suggest, choose, fail});
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    list.setAttribute("role", "listbox");
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("keydown", event => this.#pressed(event));
    input.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", event => event.preventDefault()); // the text field keeps the focus
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  get #isOpen() {
    return !this.list.hidden;
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#asking.abort();
    this.#tell("");
    this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  #tell(text) {
    this.hint.textContent = text;
    this.hint.classList.toggle("asks", Boolean(text));
  }

  /** Asks for what is typed now; null where that was typed over. */
  async #look() {
    clearTimeout(this.#timer);
    this.#asking.abort();
    this.#asking = new AbortController();
    const text = this.input.value.trim();
    try {
      const options = text ? await this.suggest(text, this.#asking.signal) : [];
      if (text !== this.input.value.trim()) return null;
      this.#show(options);
      return options;
    } catch (error) {
      if (error.name !== "AbortError") this.fail(error);
      return null;
    }
  }

  #show(options) {
    this.#options = options;
    this.list.replaceChildren(...options.map((option, index) => this.#line(option, index)));
    const open = options.length > 0 && document.activeElement === this.input;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.#activate(-1);
  }

  #line(option, index) {
    const line = make("li", {id: `${this.list.id}-${index}`, role: "option", ariaSelected: "false", className: option.kind ?? ""},
      make("span", {}, option.name), option.note ? make("small", {}, option.note) : "");
    line.addEventListener("click", () => this.#take(option));
    return line;
  }

  #activate(index) {
    this.list.children[this.#active]?.setAttribute("aria-selected", "false");
    this.#active = index;
    const line = this.list.children[index];
    if (!line) return this.input.removeAttribute("aria-activedescendant");
    line.setAttribute("aria-selected", "true");
    line.scrollIntoView({block: "nearest"});
    this.input.setAttribute("aria-activedescendant", line.id);
  }

  async #pressed(event) {
    const {key} = event;
    if (key === "Enter") {
      event.preventDefault();
      await this.#entered();
    } else if (key === "Escape") {
      event.preventDefault();
      if (this.#isOpen) this.close();
      else this.#clear();
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      await this.#move(key === "ArrowDown" ? 1 : -1);
    }
  }

  async #move(step) {
    if (!this.#isOpen) await this.#look();
    const count = this.#options.length;
    if (!this.#isOpen || !count) return;
    const from = this.#active < 0 && step < 0 ? count : this.#active;
    this.#activate((from + step + count) % count);
  }

  async #entered() {
    if (this.#active >= 0) return this.#take(this.#options[this.#active]);
    const text = this.input.value.trim();
    const options = await this.#look();
    if (!text || options === null) return;
    if (options[0]?.sure) return this.#take(options[0]);
    this.#show(options.slice(0, 3)); // a guess is never taken for an answer
    this.#tell(options.length ? `Nothing is called “${text}”. Which of these do you mean?` : `Nothing here is called like “${text}”.`);
  }

  #take(option) {
    this.#clear();
    this.choose(option);
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#asking.abort();
    this.input.value = "";
    this.#tell("");
    this.#show([]);
  }
}
