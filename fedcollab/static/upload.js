// Sends a file in parts and goes on where it broke off: a weak network costs time, and never what has arrived. Without this the form does
// the same in one go. Which upload belongs to which file stays in the tab's own storage, so that a reload goes on too.
(() => {
  "use strict";
  const LEAST = 128 * 1024, FIRST = 1024 * 1024, MOST = 16 * 1024 * 1024; // bytes of a part
  const QUICK = 2000, LONGEST_WAIT = 30000, PART_TIME = 120000; // milliseconds
  const sleep = (time) => new Promise((done) => {
    const timer = setTimeout(go, time);
    function go() { clearTimeout(timer); removeEventListener("online", go); done(); }
    addEventListener("online", go);
  });

  class Stopped extends Error {}
  class Refused extends Error {}

  class Upload {
    constructor(form, file) {
      this.form = form;
      this.file = file;
      this.key = `upload:${file.name}:${file.size}:${file.lastModified}`;
      this.part = FIRST;
      this.tries = 0;
      this.control = new AbortController();
    }

    say(words) { this.form.querySelector("[data-words]").textContent = words; }

    show(at) {
      const size = (bytes) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1e6);
      this.form.querySelector("progress").value = Math.round((at / this.file.size) * 1000);
      const words = this.form.dataset.sending.replace("{done}", size(at)).replace("{all}", size(this.file.size));
      this.form.querySelector("[data-count]").textContent = words;
    }

    async ask(method, path, more = {}) {
      const token = this.form.elements.token.value;
      const limit = AbortSignal.any ? AbortSignal.any([this.control.signal, AbortSignal.timeout(PART_TIME)]) : this.control.signal;
      const headers = { "X-Form-Token": token, ...more.headers };
      return fetch(path, { method, body: more.body, headers, signal: limit, redirect: "manual", cache: "no-store" });
    }

    // One request that is repeated until the node answers something final.
    async answered(make) {
      for (;;) {
        if (this.control.signal.aborted) throw new Stopped();
        let answer = null;
        try { answer = await make(); } catch (error) { if (this.control.signal.aborted) throw new Stopped(); }
        if (answer && ![408, 429, 502, 503, 504].includes(answer.status)) {
          this.tries = 0;
          this.say("");
          return answer;
        }
        this.say(this.form.dataset.waiting);
        this.part = Math.max(LEAST, this.part / 2);
        const asked = answer ? Number(answer.headers.get("Retry-After") || 0) * 1000 : 0;
        await sleep(Math.max(asked, Math.min(LONGEST_WAIT, 1000 * 2 ** this.tries++)));
        if (make.once) return null;
      }
    }

    async refused(answer) {
      let words = "";
      try { words = (await answer.json()).error; } catch (error) { words = ""; }
      throw new Refused(words || this.form.dataset.wrong);
    }

    async begin() {
      const known = sessionStorage.getItem(this.key);
      if (known) {
        const answer = await this.answered(() => this.ask("HEAD", `/uploads/${known}`));
        if (answer.ok) return { id: known, at: Number(answer.headers.get("Upload-Offset")), done: answer.headers.get("Upload-Complete") === "?1" };
        sessionStorage.removeItem(this.key);
      }
      const body = new URLSearchParams({ token: this.form.elements.token.value, name: this.file.name, size: this.file.size });
      const answer = await this.answered(() => this.ask("POST", "/uploads", { body }));
      if (answer.status !== 201) await this.refused(answer);
      const { id } = await answer.json();
      sessionStorage.setItem(this.key, id);
      return { id, at: 0, done: false };
    }

    async send() {
      let { id, at, done } = await this.begin();
      this.id = id;
      while (!done) {
        this.show(at);
        const end = Math.min(this.file.size, at + this.part);
        if (end === this.file.size) this.say(this.form.dataset.looking);
        const began = performance.now();
        const headers = { "Content-Type": "application/partial-upload", "Upload-Offset": String(at) };
        const make = () => this.ask("PATCH", `/uploads/${id}`, { body: this.file.slice(at, end), headers });
        make.once = true; // after a break the node is asked first how much it has
        let answer = await this.answered(make);
        answer = answer || (await this.answered(() => this.ask("HEAD", `/uploads/${id}`)));
        if (![200, 201, 204, 409].includes(answer.status)) {
          if (answer.status !== 507) sessionStorage.removeItem(this.key); // where there was no room, the same file goes on later
          await this.refused(answer);
        }
        at = Number(answer.headers.get("Upload-Offset"));
        done = answer.headers.get("Upload-Complete") === "?1";
        if (answer.status === 204 && performance.now() - began < QUICK) this.part = Math.min(MOST, this.part * 2);
      }
      sessionStorage.removeItem(this.key);
      return id;
    }

    stop() {
      this.control.abort();
      sessionStorage.removeItem(this.key);
      if (this.id) fetch(`/uploads/${this.id}`, { method: "DELETE", headers: { "X-Form-Token": this.form.elements.token.value } }).catch(() => {});
    }
  }

  function give(form, file, id) {
    const into = form.dataset.into && document.getElementById(form.dataset.into);
    if (!into) {
      const next = new URL(new URL(form.action).searchParams.get("next") || "/", location.origin);
      next.searchParams.set("file", id);
      location.assign(next.pathname + next.search + next.hash);
      return;
    }
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "file", value: id });
    into.append(field);
    into.dispatchEvent(new CustomEvent("file-uploaded", { bubbles: true, detail: { id, name: file.name, size: file.size } }));
    form.reset();
  }

  async function upload(form) {
    const file = form.elements.file.files[0], state = form.querySelector("[data-state]"), button = form.querySelector("button:not([type])");
    const words = form.querySelector("[data-words]");
    if (file.size > Number(form.dataset.limit) * 1e6) { words.textContent = form.dataset.large; return; }
    const one = new Upload(form, file), stop = form.querySelector("[data-stop]");
    stop.onclick = () => one.stop();
    state.hidden = false;
    button.disabled = true;
    try {
      const id = await one.send();
      words.textContent = form.dataset.done.replace("{name}", file.name);
      give(form, file, id);
    } catch (error) {
      if (error instanceof Stopped) words.textContent = "";
      else words.textContent = error instanceof Refused ? error.message : form.dataset.wrong;
    } finally {
      state.hidden = true;
      button.disabled = false;
    }
  }

  addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.upload") || !form.elements.file.files[0] || !window.fetch) return;
    event.preventDefault();
    upload(form);
  });
})();
