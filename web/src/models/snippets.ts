/** The same prediction in four languages. */
export function snippets(url: string, body: unknown): { name: string; text: string }[] {
  const json = JSON.stringify(body);
  const { origin, pathname, search } = new URL(url);
  const python = json.replaceAll('null', 'None').replaceAll('true', 'True').replaceAll('false', 'False');
  return [
    { name: 'curl', text: `curl '${url}' \\\n  -d '${json.replaceAll("'", "'\\''")}'` },
    {
      name: 'Python',
      text: `import json, urllib.request\n\nrequest = urllib.request.Request(\n    "${url}",\n    data=json.dumps(${python}).encode(),\n    headers={"Content-Type": "application/json"})\nprint(json.load(urllib.request.urlopen(request)))`,
    },
    {
      name: 'JavaScript',
      text: `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: { "Content-Type": "application/json" },\n  body: JSON.stringify(${json}),\n});\nconsole.log(await answer.json());`,
    },
    {
      name: 'C++',
      text: `// g++ -std=c++17 predict.cpp $(pkg-config --cflags --libs cpp-httplib)\n#include <httplib.h>\n#include <iostream>\n\nint main() {\n  httplib::Client client("${origin}");\n  const auto answer = client.Post("${pathname}${search}", R"(${json})", "application/json");\n  if (answer) std::cout << answer->body;\n}`,
    },
  ];
}
