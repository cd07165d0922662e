// Answers of the server of a page: JSON, but for what is refused before it is asked, and for failures.

export async function answerOf(response) {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/json")) return response.json();
  const sentence = type.startsWith("text/plain") ? (await response.text()).trim() : "";
  return { error: sentence || `The server of this page answers with the status ${response.status}.` };
}
