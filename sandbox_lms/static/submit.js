// Launch messages go on by themselves; the button is for browsers without scripts.
document.getElementById("form-post").submit();
