"use strict";
(function () {
  var words = document.getElementById("words-for-script").dataset;
  function button(label) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = label;
    return made;
  }
  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }
  document.querySelectorAll("pre.copyable").forEach(function (pre) {
    var made = button(words.copy);
    made.setAttribute("aria-label", words.copy + " " + (pre.getAttribute("aria-label") || ""));
    made.addEventListener("click", function () {
      function done() {
        made.textContent = words.copied;
        window.setTimeout(function () { made.textContent = words.copy; }, 2000);
      }
      if (navigator.clipboard && window.isSecureContext) {
        navigator.clipboard.writeText(pre.textContent).then(done, function () { select(pre); });
      } else {
        select(pre);
      }
    });
    pre.parentNode.insertBefore(made, pre);
  });
  var filters = document.getElementById("filters");
  if (!filters) { return; }
  var rows = Array.prototype.slice.call(document.querySelectorAll("#exchange-list > *"));
  var label = document.createElement("label");
  label.className = "find";
  label.textContent = words.find + " ";
  var box = document.createElement("input");
  box.type = "search";
  label.appendChild(box);
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase();
    rows.forEach(function (row) {
      row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
    });
  });
  filters.appendChild(label);
})();
