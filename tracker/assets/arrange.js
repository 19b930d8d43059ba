// Arranging the farm by hand and by keys. Without it, the forms below the picture do the same.
"use strict";

const ground = document.getElementById("ground");
const says = document.getElementById("says");
const mover = document.getElementById("mover");
const how = document.getElementById("how");

/** The least side of what a finger has to hit, in pixels of the page. */
const TARGET = 28;

/** The piece that is being moved, and where it is wanted. */
let held = null;

const picture = () => ground.querySelector("svg");
const pieces = () => [...ground.querySelectorAll("[data-instance]")];
const number = (element, name) => Number(element.dataset[name]);
const say = (text) => { says.textContent = text; };

/** Cells along each side, and units of the drawing along each side of a cell. */
function grid() {
  const drawn = ground.querySelector(".grid");
  return { side: number(drawn, "side"), cell: number(drawn, "cell") };
}

/** The name of the piece that stands where `held` is wanted, if any. */
function taker() {
  const overlap = (a, aLength, b, bLength) => a < b + bLength && b < a + aLength;
  const other = pieces().find((piece) => piece !== held.piece
    && overlap(held.x, held.width, number(piece, "x"), number(piece, "width"))
    && overlap(held.y, held.depth, number(piece, "y"), number(piece, "depth")));
  return other ? other.getAttribute("aria-label") : "";
}

function pickUp(piece) {
  held = {
    piece,
    original: piece.getAttribute("transform") || "",
    fromX: number(piece, "x"),
    fromY: number(piece, "y"),
    x: number(piece, "x"),
    y: number(piece, "y"),
    width: number(piece, "width"),
    depth: number(piece, "depth"),
  };
  piece.classList.add("held");
}

/** Shows `held` at the cell where it is wanted. */
function show() {
  const { side, cell } = grid();
  held.x = Math.min(Math.max(held.x, 0), side - held.width);
  held.y = Math.min(Math.max(held.y, 0), side - held.depth);
  const [across, down] = [held.x - held.fromX, held.y - held.fromY];
  const shift = `translate(${(across - down) * cell} ${(across + down) * cell / 2})`;
  held.piece.setAttribute("transform", `${shift} ${held.original}`);
  held.piece.classList.toggle("blocked", taker() !== "");
}

function letGo() {
  held.piece.setAttribute("transform", held.original);
  held.piece.classList.remove("held", "blocked");
  held = null;
}

/** Says in the form too where the pieces stand. */
function list(listed) {
  for (const option of mover.elements.piece.options) {
    option.textContent = listed[option.value] || option.textContent;
  }
}

/** Asks the tracker for the move; the picture it answers with is the farm as it is then. */
async function putDown() {
  const { piece, x, y, fromX, fromY } = held;
  const label = piece.getAttribute("aria-label");
  const instance = piece.dataset.instance;
  if (x === fromX && y === fromY) {
    letGo();
    say(`${label} stays where it is.`);
    return;
  }
  const moving = held;
  held = null;
  const form = new URLSearchParams({
    form_token: mover.elements.form_token.value, piece: instance, x, y, to: "cell",
  });
  try {
    const answer = await fetch("/arrange/place", {
      method: "POST", body: form, headers: { accept: "application/json" },
    });
    const answered = await answer.json();
    if (!answer.ok) {
      throw new Error(answered.detail || "The tracker refused.");
    }
    ground.innerHTML = answered.picture;
    list(answered.pieces);
    const again = ground.querySelector(`[data-instance="${CSS.escape(instance)}"]`);
    if (again) {
      again.focus();
    }
    say(`${label}: ${answered.told}`);
  } catch (error) {
    held = moving;
    letGo();
    piece.focus();
    say(error instanceof TypeError ? "The tracker does not answer; try again." : error.message);
  }
}

ground.addEventListener("keydown", (event) => {
  const piece = event.target.closest("[data-instance]");
  if (!piece) {
    return;
  }
  const steps = {
    ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1],
  };
  const label = piece.getAttribute("aria-label");
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    if (held) {
      putDown();
    } else {
      pickUp(piece);
      say(`${label} picked up at column ${held.x}, row ${held.y}. Arrows move it, Enter puts it down, Escape leaves it.`);
    }
  } else if (held && steps[event.key]) {
    event.preventDefault();
    held.x += steps[event.key][0];
    held.y += steps[event.key][1];
    show();
    const there = taker();
    say(`Column ${held.x}, row ${held.y}${there ? `: ${there} stands there` : ""}.`);
  } else if (held && event.key === "Escape") {
    letGo();
    say(`${label} stays where it was.`);
  }
});

ground.addEventListener("focusout", () => {
  if (held && !held.pointer) {
    letGo();
  }
});

/** How far `event` is from the middle of a piece that is too small to hit; infinite if that is not meant. */
function missedBy(event, piece) {
  const { left, top, width, height } = piece.getBoundingClientRect();
  const [across, down] = [event.clientX - left - width / 2, event.clientY - top - height / 2];
  const small = width < TARGET || height < TARGET;
  const near = Math.abs(across) <= Math.max(width, TARGET) / 2
    && Math.abs(down) <= Math.max(height, TARGET) / 2;
  return small && near ? Math.hypot(across, down) : Infinity;
}

/** The piece that `event` means: what it hit, unless a small one in front of that was hit nearly. */
function meant(event) {
  const hit = event.target.closest("[data-instance]");
  const inFront = (piece) => !hit
    || hit.compareDocumentPosition(piece) & Node.DOCUMENT_POSITION_FOLLOWING;
  let [found, least] = [hit, Infinity];
  if (hit && missedBy(event, hit) < Infinity) {
    return hit;
  }
  for (const piece of pieces().filter(inFront)) {
    const missed = missedBy(event, piece);
    if (missed < least) {
      [found, least] = [piece, missed];
    }
  }
  return found;
}

/** A point of the screen in the drawing. */
function inDrawing(event) {
  return new DOMPoint(event.clientX, event.clientY)
    .matrixTransform(picture().getScreenCTM().inverse());
}

// A finger on a piece moves the piece; beside one it scrolls the page, and two zoom it.
ground.addEventListener("touchstart", (event) => {
  const [touch, another] = event.touches;
  const { clientX, clientY, target } = touch;
  if (how && !another && meant({ clientX, clientY, target })) {
    event.preventDefault();
  }
}, { passive: false });

ground.addEventListener("pointerdown", (event) => {
  const piece = meant(event);
  if (!piece || !event.isPrimary || event.button !== 0) {
    return;
  }
  if (held) {
    letGo();
  }
  event.preventDefault();
  piece.focus();
  pickUp(piece);
  held.pointer = event.pointerId;
  held.start = inDrawing(event);
  ground.setPointerCapture(event.pointerId);
});

ground.addEventListener("pointermove", (event) => {
  if (!held || held.pointer !== event.pointerId) {
    return;
  }
  const at = inDrawing(event);
  const { cell } = grid();
  // The picture runs at an angle: right and down in it are a step along each of the two sides.
  const [right, down] = [at.x - held.start.x, at.y - held.start.y];
  held.x = held.fromX + Math.round((down + right / 2) / cell);
  held.y = held.fromY + Math.round((down - right / 2) / cell);
  show();
});

ground.addEventListener("pointerup", (event) => {
  if (held && held.pointer === event.pointerId) {
    putDown();
  }
});

ground.addEventListener("pointercancel", () => {
  if (held) {
    letGo();
  }
});

if (how) {
  how.hidden = false;
  ground.classList.add("live");
}
