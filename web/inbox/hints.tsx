/** Takes the place of an empty list. */
export function NoMessages() {
  return (
    <div className="empty">
      <h2>No messages yet</h2>
      <p>
        Ask for a code on the page, or with the <code>curl</code> command that <code>npm start</code> printed. Each mail
        and SMS appears here as soon as it is sent, and goes no further.
      </p>
      <ForTests />
    </div>
  );
}

/** Takes the place of a message while none is selected. */
export function NoSelection() {
  return (
    <div className="hint">
      <p className="soft">Choose a message to read it.</p>
      <ForTests />
    </div>
  );
}

/** How a test of an app gets a code. */
function ForTests() {
  return (
    <div className="for-tests">
      <p className="soft">A test of your app can get the latest code from the API, and can wait for it:</p>
      <pre>
        <code>curl '{location.origin}/api/latest?to=ada@example.com&amp;wait=10'</code>
      </pre>
    </div>
  );
}
