// The page is complete without this script. It adds a filter, copy buttons, and open folds in print.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

for (const command of all(".command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.onclick = async () => {
    const text = command.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
    }
  };
  command.after(button);
}

const folds = all("details");
let closed = [];
addEventListener("beforeprint", () => {
  closed = folds.filter((fold) => !fold.open);
  closed.forEach((fold) => (fold.open = true));
});
addEventListener("afterprint", () => closed.forEach((fold) => (fold.open = false)));

const field = document.querySelector("#filter");
if (field) {
  const items = all(".item").map((item) => ({ item, text: item.textContent.toLowerCase() }));
  const groups = all("details.fold").map((fold) => ({ fold, open: fold.open }));
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { item, text } of items) item.hidden = !words.every((word) => text.includes(word));
    for (const group of groups) {
      const isEmpty = !all(".item:not([hidden])", group.fold).length;
      group.fold.hidden = words.length > 0 && isEmpty;
      group.fold.open = words.length ? !isEmpty : group.open;
    }
    const shown = items.filter(({ item }) => !item.hidden).length;
    field.form.querySelector("output").value = words.length ? `${shown} of ${items.length}` : "";
  };
  field.form.hidden = false;
  field.form.onsubmit = () => false;
  field.oninput = filter;
  filter();
}
