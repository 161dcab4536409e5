// What lies on the desk: the picture being read, the network that reads it, its answer, and which
// digit of the answer is looked at. The views listen to it.
//
// A subject is the drawing or a picture: `name`, `width` and `height`, `blob()` for its file,
// `crop(box)` for a PNG of one digit, and a picture's `url`.

class Desk extends EventTarget {
  networks = [];
  network = null;
  collect = false;
  subject = null;
  // null, an answer of `predict`, or an Error.
  answer = null;
  selected = 0;

  // The digit that is looked at.
  get digit() {
    return this.answer?.digits?.[this.selected] ?? null;
  }

  get isPicture() {
    return Boolean(this.subject?.url);
  }

  // What class number `index` is called.
  className(index) {
    return this.network.classes[index] ?? String(index);
  }

  // Tells 'networks' when there are others than before, and 'network' when another is used.
  setNetworks({ networks, collect }) {
    const used = this.network;
    if (JSON.stringify(networks) === JSON.stringify(this.networks)) return;
    this.networks = networks;
    this.collect = collect;
    this.network = networks.find((network) => network.name === used?.name) ?? networks[0];
    this.#tell('networks');
    if (this.network.name !== used?.name) this.#tell('network');
  }

  useNetwork(name) {
    this.network = this.networks.find((network) => network.name === name);
    this.#tell('network');
  }

  show(subject, answer) {
    const digits = answer?.digits?.length ?? 0;
    const before = this.answer?.digits?.length ?? 0;
    // Someone who looks at the first digit keeps looking at it while the drawing grows more exact.
    if (subject !== this.subject || digits !== before) this.selected = digits - 1;
    this.subject = subject;
    this.answer = answer;
    this.#tell('answer');
  }

  select(index) {
    this.selected = index;
    this.#tell('select');
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

export const desk = new Desk();
