// Plays `frames` inside an exported replay; the page defines them before this text.
const by_id = (id) => document.getElementById(id);
const slider = by_id('at');
function show(k) {
  const frame = frames[k];
  slider.value = k;
  by_id('title').textContent = frame.title;
  by_id('image').setAttribute('href', frame.image);
  for (const part of ['line', 'loss', 'accuracy']) by_id(part).innerHTML = frame[part];
}
let timer = 0;
function stop() {
  clearInterval(timer);
  timer = 0;
  by_id('play').textContent = '▶';
}
by_id('play').onclick = () => {
  if (timer) return stop();
  if (Number(slider.value) >= Number(slider.max)) show(0);
  by_id('play').textContent = '❚❚';
  timer = setInterval(() => {
    if (Number(slider.value) >= Number(slider.max)) return stop();
    show(Number(slider.value) + 1);
  }, 120);
};
slider.oninput = () => show(Number(slider.value));
show(0);
