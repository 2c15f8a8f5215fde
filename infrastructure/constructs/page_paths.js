// A path without a file's ending is a view of the dashboard: the page itself finds out which.
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf("/") + 1);
  if (last.indexOf(".") < 0) {
    request.uri = "/index.html";
  }
  return request;
}
